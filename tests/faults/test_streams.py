"""Everything that is printed goes through one module, which escapes what a terminal or the reader of a CI log obeys."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import subprocess
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
from support.package_source import find_lines

from tvm_ffi_build.__main__ import COMMANDS, main
from tvm_ffi_build.errors import OutputError
from tvm_ffi_build.terminal.streams import escape_controls, json_text, write_answer, write_message

if TYPE_CHECKING:
    from collections.abc import Iterator


OWNER = "terminal/streams.py"
# Runs in other environments, without this package, and what it prints is captured or is a compiler's.
SCRIPTS = {
    "cmake_steps/gpu_check_template.py:warnings.warn",
    "cross/compiler/hide_symbols.py:subprocess without stdout",
}

# What writes to a stream: whole attributes, and the last part of others.
STREAMS = re.compile(
    r"sys\.(__)?std(out|err)(__)?|os\.(write|fdopen|system|dup2)|warnings\.warn|traceback\.print_\w+|logging\.\w+"
    r"|print|sys\.exit text|argparse\.ArgumentParser|faulthandler\.\w+|subprocess without stdout|/dev/(tty|std\w+)"
)


def writers(text: str) -> set[str]:
    """Return what a module names that can write to a stream."""
    return {name for name in _named(ast.parse(text)) if STREAMS.fullmatch(name)}


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            # In an annotation, it prints nothing.
            yield "" if name == "argparse.ArgumentParser" else name
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant):
            yield str(node.value)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            # Under another name, the attribute would not be recognised.
            yield from (f"{alias.name}.stdout" for alias in node.names if alias.asname)
        if isinstance(node, ast.Call):
            yield from _called(node)


def _called(call: ast.Call) -> Iterator[str]:
    function = ast.unparse(call.func)
    if function == "argparse.ArgumentParser":
        yield function
    if re.fullmatch(r"subprocess\.(run|Popen|call|check_call)", function):
        given = {keyword.arg for keyword in call.keywords}
        if not ("capture_output" in given or {"stdout", "stderr"} <= given):
            yield "subprocess without stdout"
    # With a text, both print it; with a number they do not.
    if function in {"sys.exit", "SystemExit"}:
        for text in call.args:
            if isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and isinstance(text.value, str)):
                yield "sys.exit text"


def test_no_module_but_one_writes_to_a_stream() -> None:
    allowed = {
        # Derives a parser that prints through the owner, and compares with the stream that argparse names.
        "terminal/command.py:argparse.ArgumentParser",
        "terminal/command.py:sys.stdout",
        # Open files that are not streams.
        "host/regular_files.py:os.fdopen",
        "cross/build_folder.py:os.fdopen",
    }
    assert {entry for entry in find_lines(writers) if not entry.startswith(f"{OWNER}:")} == SCRIPTS | allowed


@pytest.mark.parametrize(
    "text",
    [
        "print('a')",
        "import sys\nsys.stderr.write('a')",
        "from sys import stdout",
        "import sys as other",
        "import os\nos.write(2, b'a')",
        "import sys\nsys.exit(f'{1}')",
        "raise SystemExit('a')",
        "import subprocess\nsubprocess.run([], stdout=1)",
        "import argparse\nargparse.ArgumentParser()",
        "open('/dev/tty', 'w')",
        "import warnings\nwarnings.warn('a')",
    ],
)
def test_other_ways_to_write_are_found(text: str) -> None:
    assert writers(text)


def test_every_character_that_moves_or_hides_text_is_escaped() -> None:
    """By Unicode's own classes: controls, direction, lines; what is left of them is shown as it is."""
    shown = {"\t", "\n"}
    for code in itertools.chain(range(0x3000), range(0xD800, 0xE000), range(0xF000, 0x10000)):
        letter = chr(code)
        moves = (
            unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Cs"}
            or unicodedata.bidirectional(letter) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
            or letter in {"\u061c", "\u200e", "\u200f"}
        )
        escaped = escape_controls(f"a{letter}b") != f"a{letter}b"
        assert escaped == (moves and letter not in shown), hex(code)


@pytest.mark.parametrize("before", ["", " ", "\t", "\n", "a\n  ", "\ufeff", "\u200b ", "\u3000"])
@pytest.mark.parametrize("word", ["::error::x", "::set-output name=a::b", "##[error]x", "##vso[task.complete]x"])
def test_no_line_is_a_command_to_ci(before: str, word: str) -> None:
    escaped = escape_controls(before + word)
    assert not re.search(r"(?m)^\W*::|##\[|##vso\[", escaped)
    assert escape_controls("a" + word.replace("##", "#")) == "a" + word.replace("##", "#")


def test_escaped_text_stays_as_it_is() -> None:
    for text in ("::error::", "##[x", "\x1b]0;x\x07", "###[", "::::", ": ::"):
        assert escape_controls(escape_controls(text)) == escape_controls(text)


def test_json_survives() -> None:
    value = {"a": "##[error]\x1b\u2028\n::error::", "##vso[": ["###["]}
    text = json_text(value)
    assert escape_controls(text) == text
    assert json.loads(text) == value


def test_the_writers_own_commands_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    write_answer("::error file=a::b\x1b\n", commands=True)
    write_answer("::error::b\n")
    assert capsys.readouterr().out == "::error file=a::b\\x1b\n\\x3a:error::b\n"


def test_colours_come_after_the_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    write_message("\x1b[2Ja", paint=lambda text: f"\x1b[1m{text}\x1b[0m")
    assert capsys.readouterr().err == "\x1b[1m\\x1b[2Ja\x1b[0m"


HOSTILE = "\x9b2J\u202e\x1b]0;evil\x07\n::error::evil"


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_no_command_repeats_an_argument_as_it_is(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.chdir(str(tmp_path))
    for arguments in ([HOSTILE], [f"--{HOSTILE}"], ["--json", HOSTILE], [HOSTILE, "--platform", HOSTILE]):
        with pytest.raises(SystemExit):
            main([name, *arguments])
        said = "".join(capsys.readouterr())
        assert escape_controls(said) == said


@pytest.mark.parametrize(
    ("redirect", "arguments", "code"),
    [
        ("2>&-", "audit missing.whl", 2),
        ("2>/dev/full", "audit missing.whl", 2),
        ("2>&-", "wheel missing", 2),
        ("2>/dev/full", "wheel missing", 2),
        ("2>/dev/full", "audit --nonsense", 2),
        ("2>&-", "audit --nonsense", 2),
        ("2> >(true)", "wheel missing", 2),
        ("2>/dev/full", "-v config --version", 0),
    ],
)
def test_the_exit_status_is_right_where_standard_error_takes_nothing(redirect: str, arguments: str, code: int) -> None:
    command = f'"$0" -m tvm_ffi_build {arguments} {redirect}'
    done = subprocess.run(["bash", "-c", command, sys.executable], check=False, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (code, "")


def test_a_standard_output_that_is_full_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(OutputError, match="No space left"):
            write_answer("a\n")
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
