"""Every option of every command is given what no option expects: no traceback, and nothing outside of the directory."""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from hostile_values import HOSTILE_VALUES, TELLING_VALUES
from support.project import ROOT

from tvm_ffi_build.__main__ import COMMANDS, main
from tvm_ffi_build.errors import StubError
from tvm_ffi_build.stubgen.new_package.packages import Init
from tvm_ffi_build.terminal.arguments import read_command, read_path, read_release, read_seconds
from tvm_ffi_build.terminal.command import Parser

if TYPE_CHECKING:
    from pathlib import Path


def list_options() -> list[tuple[str, str, str]]:
    """Return each option that takes a value: its command, its name and the positional arguments that it needs."""
    found = []
    for name, module, _ in COMMANDS:
        parser = Parser(prog=name)
        import_module(module, "tvm_ffi_build").populate_parser(parser)
        needed = any(action.nargs == "+" and not action.option_strings for action in parser._actions)
        found += [
            (name, (action.option_strings or [""])[0], "missing.whl" if needed else "")
            for action in parser._actions
            if isinstance(action, (argparse._StoreAction, argparse._AppendAction))
        ]
    return found


@pytest.mark.parametrize(
    "values", [TELLING_VALUES, pytest.param(HOSTILE_VALUES, marks=pytest.mark.slow)], ids=["telling", "all"]
)
# The runtime's own tool writes to the file that this one names, wherever that is.
@pytest.mark.parametrize(
    ("command", "option", "positional"), [case for case in list_options() if case[1] != "--coverage-out"]
)
def test_an_option_takes_what_it_says_and_nothing_else(
    command: str,
    option: str,
    positional: str,
    values: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    here = tmp_path / "a" / "b" / "c" / "d"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Nothing is downloaded for an argument that happens to be right.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for value in values:
        words = [f"{option}={value}"] if option.startswith("--") else [option, value] if option else [value]
        try:
            main([command, *words, *([positional] if positional and option else [])])
        except SystemExit as end:
            assert isinstance(end.code, int) or end.code is None  # noqa: PT017  (what it ends with is the subject)
        capfd.readouterr()
    assert not [path for path in tmp_path.rglob("*") if path.name == "evil" and path.is_file()]
    assert not os.path.lexists("/evil")


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "0", "", "1e9", "1s", "9" * 5000])
def test_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number of seconds"):
        read_seconds(text)


@pytest.mark.parametrize("text", ["../../evil", "/tmp/evil", "", "1.0/..", "latest", "1.0;a", "-e.", "9" * 5000 + "x"])
def test_a_release_is_a_version(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a version"):
        read_release(text)


def test_a_command_is_words() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no closing quotation"):
        read_command("'")


@pytest.mark.parametrize(
    ("distribution", "target", "message"),
    [
        ("x{__import__('os').system('id')}", "core", "is not the name of a distribution"),
        ('x"', "core", "is not the name of a distribution"),
        ("", "core", "is not the name of a distribution"),
        ("a\nb", "core", "is not the name of a distribution"),
        ("demo", "../../../etc/evil", "is not the name of a CMake target"),
        ("demo", 'x"', "is not the name of a CMake target"),
        ("demo", "..", "is not the name of a CMake target"),
        ("demo", "a::b", "is not the name of a CMake target"),
    ],
)
def test_names_that_become_paths_and_code(tmp_path: Path, distribution: str, target: str, message: str) -> None:
    """For the command and for the step of CMake alike."""
    with pytest.raises(StubError, match=message):
        Init(tmp_path, distribution, target, "demo.")


def test_every_path_of_a_command_line_is_checked() -> None:
    """No parser takes a path by ``type=Path``, which makes an error of each later question about a name too long."""
    found = [path.name for path in (ROOT / "tvm_ffi_build").rglob("*.py") if "type=Path" in path.read_text("utf-8")]
    assert found == []
    for text in ("x" * 256, "a/" * 2048, f"a/{'é' * 128}"):
        with pytest.raises(argparse.ArgumentTypeError, match="too long for a path"):
            read_path(text)
    assert read_path("x" * 255).name == "x" * 255
