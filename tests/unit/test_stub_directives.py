"""Directives: what is found, what is refused, and that nothing else is touched."""

from __future__ import annotations

import argparse
import ast
import decimal
import difflib
import doctest
import inspect
import io
import pathlib
import re
import tokenize
import unittest.mock
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvm_ffi_build.errors import StubError
from tvm_ffi_build.stubgen.files.directives import Block, Directive, parse_document

BEGIN, END = "# tvm-ffi-stubgen(begin): {}", "# tvm-ffi-stubgen(end)"

LINES = st.one_of(
    # A quote would open a string.
    st.text(alphabet=st.characters(exclude_characters="\r\n\"'", exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["", "\t x = 1", "\ufeff", "a\u2028b", "\x0c", "# tvm-ffi-stubgen", "#tvm-ffi-stubgen(end)"]),
)
# What a block holds is replaced, whatever it is.
BODY_LINES = LINES | st.sampled_from(['"""', "x = '''", "'\\"])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
BLOCKS = st.sampled_from(["global/a.b", "object/a.B", "import-section", "export/_x", "__all__", "library/x"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Make a file and the kinds of its blocks."""
    text, kinds = "", []
    for _ in range(draw(st.integers(0, 5))):
        text += "".join(draw(LINES) + draw(ENDS) for _ in range(draw(st.integers(0, 3))))
        indent = draw(st.sampled_from(["", "    ", "\t"]))
        kind = draw(BLOCKS)
        kinds.append(kind.partition("/")[0])
        body = "".join(draw(BODY_LINES) + draw(ENDS) for _ in range(draw(st.integers(0, 3))))
        text += f"{indent}{BEGIN.format(kind)}{draw(ENDS)}{body}{indent}{END}{draw(ENDS)}"
    return text + draw(LINES), kinds


@given(files())
def test_what_is_read_is_written_back_to_the_byte(file: tuple[str, list[str]]) -> None:
    text, kinds = file
    document = parse_document(text, "f.py")
    assert document.text == text
    assert [block.kind for block in document.blocks] == kinds


@given(files(), st.lists(st.text(alphabet="abc #", max_size=5), max_size=3))
def test_filling_blocks_changes_nothing_outside_of_them(file: tuple[str, list[str]], lines: list[str]) -> None:
    document = parse_document(file[0], "f.py")
    parts = tuple(part.filled(lines) if isinstance(part, Block) else part for part in document.parts)
    filled = parse_document(replace(document, parts=parts).text, "f.py")

    def outside(parts: tuple[object, ...]) -> list[object]:
        return [(part.begin, part.end) if isinstance(part, Block) else part for part in parts]

    assert outside(filled.parts) == outside(document.parts)


DIRECTIVE = "# tvm-ffi-stubgen(prefix): a"

# Pieces of Python: code, and all that may hide a comment or the end of a string.
PIECES = st.sampled_from(
    [
        "x = 1\n",
        "# it's a comment\n",
        f"{DIRECTIVE}\n",
        f"    {DIRECTIVE}\n",
        f"x = 1  {DIRECTIVE}\n",
        "x = 'a # b'\n",
        'x = "it\'s"\n',
        f'"""Doc.\n\n{DIRECTIVE}\n"""\n',
        f"x = r'''\\\n{DIRECTIVE}\n'''\n",
        f'b = rb"""\\"""" "\n{DIRECTIVE}\n',
        f"f = f'''{{x}}\n{DIRECTIVE}\n'''\n",
        f"x = 'one line \\\n{DIRECTIVE}'\n",
        f"x = (1,\n{DIRECTIVE}\n)\n",
        '"" "x"\n',
        "''''a''' '\\'' \"#\"\n",
        '"""" """\n',
    ]
)


def comments_of(text: str) -> list[int]:
    """Return the lines that have nothing but a directive, as Python's own tokenizer finds them."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT and token.string.startswith(DIRECTIVE)]
    return [token.start[0] for token in comments if not token.line[: token.start[1]].strip()]


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@given(st.lists(PIECES, max_size=8).map("".join).filter(is_python))
def test_a_directive_is_a_comment_for_python_too(text: str) -> None:
    assert [directive.line for directive in parse_document(text, "f.py").directives("prefix")] == comments_of(text)


def test_directives_are_found_in_python_that_others_have_written() -> None:
    """With a directive before each fifth line of modules of the standard library, in strings too."""
    count = 0
    for module in (argparse, ast, decimal, difflib, doctest, inspect, pathlib, re, tokenize, unittest.mock):
        lines = pathlib.Path(str(module.__file__)).read_text(encoding="utf-8").splitlines(keepends=True)
        text = "".join(
            f"{DIRECTIVE}\n{line}" if number % 5 == 0 and not lines[number - 1].endswith("\\\n") else line
            for number, line in enumerate(lines)
        )
        found = [directive.line for directive in parse_document(text, "f.py").directives("prefix")]
        assert found == comments_of(text), module
        count += text.count(DIRECTIVE) - len(found)
    assert count > 100  # those that strings hold


def test_a_directive_that_a_string_quotes_is_text() -> None:
    quoted = f'"""Explains:\n\n{BEGIN.format("global/a")}\n{END}\n"""\n# tvm-ffi-stubgen(skip): a.B\n'
    document = parse_document(quoted, "f.py")
    assert document.blocks == []
    assert [directive.payload for directive in document.directives("skip")] == ["a.B"]
    assert not parse_document('"""\n# tvm-ffi-stubgen(skip-file)\n"""\n', "f.py").is_skipped


def test_a_block_ends_where_it_says_whatever_it_holds() -> None:
    text = f'{BEGIN.format("global/a")}\n"""\n{END}\n"""Doc."""\n'
    assert [block.body for block in parse_document(text, "f.py").blocks] == ['"""\n']


@pytest.mark.parametrize(
    ("parameter", "module"),
    [
        ("a", "tvm_ffi"),
        ("a@", "tvm_ffi"),
        ("a@b.c", "b.c"),
        ("a@.registry", ".registry"),
        ("a@..registry", "..registry"),
        ("a@.", "."),
        ("a@..", ".."),
    ],
)
def test_what_follows_the_at_sign_is_a_module(parameter: str, module: str) -> None:
    (block,) = parse_document(f"{BEGIN.format(f'global/{parameter}')}\n{END}\n", "f.py").blocks
    assert block.prefix == "a"
    assert block.init_function == (module, "init_ffi_api")


@given(st.text())
def test_no_text_is_a_traceback(text: str) -> None:
    try:
        document = parse_document(text, "f.py")
    except StubError as error:
        assert str(error).startswith("f.py:")  # noqa: PT017
    else:
        assert document.text == text


def test_directives_of_one_line() -> None:
    document = parse_document(
        "# tvm-ffi-stubgen(ty-map): a.B -> c.d.E\n  # tvm-ffi-stubgen(import-object): a.b;True;c\n"
        "# tvm-ffi-stubgen(prefix): a.b.\n# tvm-ffi-stubgen(skip): a.b.C",
        "f.py",
    )
    assert [(part.name, part.payload, part.line) for part in document.parts if isinstance(part, Directive)] == [
        ("ty-map", "a.B -> c.d.E", 1),
        ("import-object", "a.b;True;c", 2),
        ("prefix", "a.b.", 3),
        ("skip", "a.b.C", 4),
    ]


def test_a_file_that_asks_to_be_left_alone_may_hold_anything() -> None:
    document = parse_document(f"{END}\n# tvm-ffi-stubgen(skip-file)\n# tvm-ffi-stubgen(nonsense)\n", "f.py")
    assert document.is_skipped


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"x\n{END}",
            r"f\.py:2: the end of a block that was not started; start it with: # tvm-ffi-stubgen\(begin\): KIND",
        ),
        (BEGIN.format("global/a"), r"f\.py:1: a block that is not ended; end it: # tvm-ffi-stubgen\(end\)"),
        (
            f"{BEGIN.format('global/a')}\n{BEGIN.format('global/b')}\n{END}",
            r"f\.py:2: a directive in the block of line 1",
        ),
        (
            f"{BEGIN.format('globals/a')}\n{END}",
            r"f\.py:1: '# .*globals/a' does not start a known block; expected one of global/PREFIX",
        ),
        (f"{BEGIN.format('global/')}\n{END}", "does not start a known block"),
        (f"{BEGIN.format('__all__/x')}\n{END}", "does not start a known block"),
        ("# tvm-ffi-stubgen(begin) global/a", "does not start a known block; expected .* after the colon"),
        ("# tvm-ffi-stubgen(typ-map): a -> b", r"is not a known directive; expected one of begin, end, ty-map"),
        ("# tvm-ffi-stubgen(ty-map): a b", r"maps nothing; expected ty-map\): TYPE_KEY -> module\.Class"),
        ("# tvm-ffi-stubgen(ty-map): a -> b c", "maps nothing"),
        ("# tvm-ffi-stubgen(import-object): a-b;True", "imports nothing; expected import-object"),
        ("# tvm-ffi-stubgen(import-object): a.None;True", "imports nothing"),
        (f"{BEGIN.format('global/a@b-c')}\n{END}", r"names no module after @; expected global/PREFIX@MODULE"),
        (f"{BEGIN.format('global/a@b@c')}\n{END}", "names no module after @"),
        ("# tvm-ffi-stubgen(import-object): a;True;b;c", "imports nothing"),
        ("# tvm-ffi-stubgen(prefix):", r"names nothing; expected prefix\): NAME"),
        ("# tvm-ffi-stubgen(", "is not a known directive"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(StubError, match=message):
        parse_document(text, "f.py")
