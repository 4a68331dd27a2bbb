"""What commands show at several widths, with colours and in logs, compared with files."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.screens import FOLDER, HEADERS, REPORTS, show_all

from tvm_ffi_build.audit.formats.text import as_text
from tvm_ffi_build.terminal.demangle import demangle
from tvm_ffi_build.terminal.screen import ALWAYS, AUTO, NEVER, Screen, read_screen

if TYPE_CHECKING:
    from pathlib import Path

    from tvm_ffi_build.terminal.screen import ColorChoice

_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def test_screens_are_those_of_the_files() -> None:
    """After a change that is meant: ``python tests/support/screens.py``."""
    shown = {f"{name}-{screen}.txt": text for name, screen, _, text in show_all()}
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")} == shown


def test_no_line_is_longer_than_the_terminal_and_no_word_is_cut() -> None:
    whole = {name: set(text.split()) for name, screen, _, text in show_all() if screen == "log"}
    for name, _, screen, text in show_all():
        plain = _COLORS.sub("", text)
        assert set(plain.split()) == whole[name]
        # Code and tables of the manual keep their lines.
        lines = [line for line in plain.splitlines() if name != "explain" or not line.startswith((" ", "|"))]
        assert screen.width is None or max(map(len, lines)) <= screen.width, name
        assert screen.colored == (plain != text) or name in {"explain", "rules"}


def test_a_wheel_with_many_headers_takes_at_most_40_lines_and_all_with_v() -> None:
    short, long = as_text(REPORTS), as_text(REPORTS, verbose=True)
    assert len(short.splitlines()) <= 40
    assert f"and {HEADERS - 5:,} more" in short
    assert len(long.splitlines()) > HEADERS


def test_errors_stand_below_warnings_and_totals_at_the_end() -> None:
    lines = as_text(REPORTS).splitlines()
    kinds = [match[1] for match in map(re.compile(r"  \w\d+ (error|warning): ").match, lines) if match]
    assert kinds == ["warning", "warning", "error"]
    assert lines[0].startswith("other-1.0-py3-none-any.whl: clean")
    assert lines[-1] == "2 wheels: 1 error, 1,492 warnings"


@pytest.mark.parametrize(
    ("color", "environment", "terminal", "colored"),
    [
        (AUTO, {}, True, True),
        (AUTO, {}, False, False),
        (AUTO, {"TERM": "dumb"}, True, False),
        (AUTO, {"NO_COLOR": "1"}, True, False),
        (AUTO, {"NO_COLOR": ""}, True, True),
        (AUTO, {"FORCE_COLOR": "1"}, False, True),
        (AUTO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        (ALWAYS, {"NO_COLOR": "1"}, False, True),
        (NEVER, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_follow_the_option_then_the_environment_then_the_terminal(
    color: ColorChoice, environment: dict[str, str], terminal: bool, colored: bool, tmp_path: Path
) -> None:
    ours, its = pty.openpty()
    with open(its, "w", encoding="utf-8") as tty, (tmp_path / "log").open("w", encoding="utf-8") as log:  # noqa: PTH123
        assert read_screen(tty if terminal else log, color, environment).colored == colored
    os.close(ours)


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("0", 80), ("wide", 80), ("9" * 99, 80), ("²", 80)])
def test_the_width_is_that_of_the_variable_or_80(columns: str, width: int) -> None:
    ours, its = pty.openpty()
    with open(its, "w", encoding="utf-8") as tty:  # noqa: PTH123
        assert read_screen(tty, environment={"COLUMNS": columns}).width == width
    os.close(ours)
    with open(os.devnull, "w", encoding="utf-8") as file:  # noqa: PTH123
        assert read_screen(file, environment={"COLUMNS": columns}) == Screen()


def test_a_command_on_a_terminal_wraps_and_colours() -> None:
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "40"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "tvm_ffi_build", "audit", "this-wheel-does-not-exist.whl"]
    done = subprocess.run(command, check=False, stderr=its, stdout=subprocess.DEVNULL, env=environment)
    os.close(its)
    said = os.read(ours, 1 << 16).decode().replace("\r\n", "\n")
    os.close(ours)
    assert done.returncode == 2
    assert said.startswith("\x1b[1;31merror:\x1b[0m this-wheel-does-not-exist.whl\n  does not exist")


def test_symbols_are_shown_as_in_the_source_where_the_tool_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["undefined symbol _Z6AddTwol, and __Z1fv", "my_Z1fv, _Znot and _Z"]
    assert demangle(texts) == ["undefined symbol AddTwo(long), and f()", texts[1]]
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tvm_ffi_build.terminal.demangle.find_program", lambda _: None)
    assert demangle(texts) == texts
