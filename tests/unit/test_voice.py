"""What people read is plain English: no words and constructions that make readers stop.

The list is this project's. Each entry has the word to use instead.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from support.project import ROOT

from tvm_ffi_build.audit.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BANNED = {
    r"\bfolders?\b": "directory",
    r"\b(begins?|began|begun|beginning)\b": "start, create, add",
    r"\bpass(es|ed)? over\b": "skip",
    r"\brun paths?\b": "rpath",
    r"\bgrafts?\b|\bgrafted\b": "bundle",
    r"\bserves?\b": "support, be compatible with",
    r"\bwithdrawn\b": "yanked",
    r"\bthe index\b": "PyPI, package index",
    r"\b(nobody|somebody|whoever|whichever|of which)\b": "a noun",
    r"(?<!there )\b(is|are) no (?!longer)": "is not a",
    r"\b(is|are|has|have) none\b": "a sentence with a noun",
    r"\b(has|have) it not\b": "does not have it",
    r"(?<!-)\balone\b": "only",
    r"\bfilled, this\b|\bmade of nearly nothing\b|\bcase is none\b": "a plain sentence",
}
_BANNED = re.compile("|".join(f"(?:{pattern})" for pattern in BANNED), re.IGNORECASE)

# What a person reads: messages and help, text files in new projects, messages of the CMake package, and pages.
PACKAGE = sorted((ROOT / "tvm_ffi_build").rglob("*.py"))
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
CMAKE = sorted((ROOT / "cmake").glob("*.cmake"))
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(path for name in ("docs", "examples") for path in (ROOT / name).rglob("*.md")),
]
# Of a page in Markdown: code, and marks for programs.
_NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|<!--.*?-->", re.DOTALL)

# Names of directives and parameters, which are other people's words.
ALLOWED = re.compile(r"tvm-ffi-stubgen\(begin\)|expected one of begin, end, |the ABI tag of \S* ?must be none")


# A variable of CMake, which is replaced before a person reads it.
_VARIABLE = re.compile(r"\$\{\w+\}")
# A pattern or a list of names has no words between blanks.
_WORDS = re.compile(r"[a-z] [a-z]")


def find_banned(text: str) -> list[str]:
    """Return the banned words in a text, each with what stands around it."""
    text = ALLOWED.sub("", _VARIABLE.sub("", text))
    return [text[max(0, match.start() - 30) : match.end() + 20] for match in _BANNED.finditer(text)]


def messages(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each string that is not a docstring and has words."""
    tree = ast.parse(source)
    docs = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in docs else None
        if isinstance(node, ast.Constant) and isinstance(text, str) and _WORDS.search(text):
            yield node.lineno, text


def cmake_messages(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each string with words, outside of comments."""
    for number, line in enumerate(source.splitlines(), 1):
        if not line.lstrip().startswith("#"):
            texts = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
            yield from ((number, text) for text in texts if _WORDS.search(text))


def test_messages_and_help_have_no_banned_word() -> None:
    found = [
        (path.relative_to(ROOT).as_posix(), line, words)
        for path in PACKAGE
        for line, text in messages(path.read_text(encoding="utf-8"))
        if (words := find_banned(text))
    ]
    assert found == []


def test_messages_of_cmake_have_no_banned_word() -> None:
    found = [
        (path.name, line, words)
        for path in CMAKE
        for line, text in cmake_messages(path.read_text(encoding="utf-8"))
        if (words := find_banned(text))
    ]
    assert found == []


def _read_prose(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return _NOT_PROSE.sub("", text) if path.suffix == ".md" else text


def test_new_projects_and_pages_have_no_banned_word() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): words
        for path in [*TEMPLATES, *PAGES]
        if (words := find_banned(_read_prose(path)))
    }
    assert found == {}


def test_titles_of_rules_are_short_and_plain() -> None:
    for rule in RULES.values():
        assert len(rule.title) <= 60, rule
        assert not find_banned(rule.title), rule


@pytest.mark.parametrize(
    "sentence",
    [
        "the source folder is not a project",
        "a library is needed that nobody has",
        "demo.whl is no zip archive",
        "X and Y are one file on systems where case is none",
        "one wheel serves every Python",
        "the runtime, of which nothing is known",
        "passed over: a.whl",
        "the tag is for one machine alone",
        "a run path of one machine",
        "Whoever can write there can change it",
    ],
)
def test_an_old_sentence_is_found(sentence: str) -> None:
    assert find_banned(sentence)
    assert find_banned(next(text for _, text in messages(f"raise BuildError({sentence!r})")))


@pytest.mark.parametrize(
    "sentence", ["the release is no longer available", "a stand-alone program", "PyPI rejects the tag", "py3-none"]
)
def test_a_plain_sentence_is_not_found(sentence: str) -> None:
    assert not find_banned(sentence)
