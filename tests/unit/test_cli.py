"""What all commands have in common."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from support.commands import run_command as run_here
from support.errors import read_error
from support.runtimes import installed

from tvm_ffi_build import __version__, config, errors
from tvm_ffi_build.__main__ import COMMANDS, main
from tvm_ffi_build.pipeline import command as wheel_command
from tvm_ffi_build.pyproject.build_system import find_project
from tvm_ffi_build.terminal import command as cli
from tvm_ffi_build.terminal.command import run_command
from tvm_ffi_build.terminal.output import Output

if TYPE_CHECKING:
    from tvm_ffi_build.terminal.screen import ColorChoice


def test_every_error_has_one_of_the_exit_statuses() -> None:
    classes = [getattr(errors, name) for name in errors.__all__ if name != "ExitStatus"]
    statuses = {cls.exit_code for cls in classes}
    assert statuses == {status for status in errors.ExitStatus if 0 < status < 128}
    assert [status.value for status in errors.ExitStatus] == sorted({*range(6), 129, 130, 141, 143})
    assert errors.UsageError.exit_code == 2  # as argparse has it


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"tvm-ffi-build {__version__}\napache-tvm-ffi ")


@pytest.mark.parametrize("command", ["wheel", "config"])
def test_every_command_is_quiet_or_verbose_and_not_both(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "-q", "-v"])
    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "hint"), [("wheel", "did you mean --platform?"), ("config", "run: tvm-ffi-build config --help")]
)
def test_an_unknown_option_is_answered_with_the_nearest_one(
    command: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["-q", command, "--platfrom"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert read_error(said) == f"unknown argument: --platfrom; {hint}"


def test_an_error_is_followed_by_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise errors.OutputError("x cannot be written", "do y")

    with pytest.raises(SystemExit) as caught:
        run_command(command)
    assert caught.value.code == errors.OutputError.exit_code
    assert capsys.readouterr().err == "error: x cannot be written\nhint: do y\n"


@pytest.mark.parametrize("arguments", [["-q", "config"], ["config", "-q"], ["-v", "wheel"], ["wheel", "-v"]])
def test_verbosity_may_stand_before_or_after_the_command(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[int] = []

    def output(verbosity: int, color: ColorChoice) -> Output:
        seen.append(verbosity)
        return Output(verbosity, color)

    for area in (config, wheel_command):
        monkeypatch.setattr(area, "Output", output)
    monkeypatch.chdir(tmp_path)
    with suppress(SystemExit):
        main([*arguments, *(["--version"] if "config" in arguments else [])])
    assert seen == [1 if "-v" in arguments else -1]


@pytest.mark.parametrize("signal", ["TERM", "HUP"])
def test_being_told_to_end_is_an_exception(signal: str) -> None:
    code = (
        "import os, signal\nfrom tvm_ffi_build.terminal.command import end_on_signals, run_command\n"
        f"def f():\n  try: os.kill(os.getpid(), signal.SIG{signal}); signal.pause()\n  finally: print('cleaned up')\n"
        "end_on_signals()\nrun_command(f)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == ({"TERM": 143, "HUP": 129}[signal], "cleaned up\n", "")


@pytest.mark.parametrize(("redirect", "code"), [("> /dev/full", 2), (">&-", 0)])
def test_a_standard_output_that_takes_nothing_is_no_traceback(redirect: str, code: int) -> None:
    command = f'"$0" -m tvm_ffi_build.config --version {redirect}'
    done = subprocess.run(["bash", "-c", command, sys.executable], check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert ("cannot be written" in done.stderr) == (code != 0)


def test_letters_that_the_terminal_has_not_are_no_traceback(tmp_path: Path) -> None:
    folder = installed(tmp_path / "日本")
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "tvm_ffi_build.config", "--includedir", "--runtime", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=env)
    assert "\\u65e5\\u672c" in done.stdout


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("wide", 80), ("120", 120)])
def test_help_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    formatter = cli.help_formatter("program")
    formatter.add_text("word " * 100)
    assert width - 8 < max(map(len, formatter.format_help().splitlines())) < width


def test_an_interrupt_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run_command(command)
    assert caught.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_that_leaves_is_no_traceback() -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -m tvm_ffi_build.config --json | true; exit ${PIPESTATUS[0]}', sys.executable],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    assert done.returncode in {0, 141}


def test_without_arguments_the_help_is_printed() -> None:
    done = run_here(ok=True)
    assert done.stdout.startswith("usage: tvm-ffi-build ")
    assert done.stderr == ""


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_every_command_has_an_example_and_the_versions(name: str) -> None:
    assert f"\nExample: tvm-ffi-build {name}" in run_here(name, "--help", ok=True).stdout
    lines = run_here(name, "-V", ok=True).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["tvm-ffi-build", "apache-tvm-ffi", "known"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["biuld"], "unknown command: biuld; did you mean wheel?"),
        (["contrct"], "unknown command: contrct; did you mean contract?"),
        (["repair", "a", "-w", "b", "--preset", "tourch"], "unknown value for --preset: tourch; did you mean torch?"),
        (["audit", "--format", "jsn"], "unknown value for --format: jsn; did you mean json?"),
        (["wheel", "--frontend", "x"], "unknown value for --frontend: x; choose from build, uv"),
        (["--color", "never", "audit", "--strickt"], "unknown argument: --strickt; did you mean --strict?"),
    ],
)
def test_the_nearest_word_is_suggested(arguments: list[str], error: str) -> None:
    done = run_here(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert read_error(done.stderr) == error


def test_words_are_completed() -> None:
    """As the shell's function asks for it ("argcomplete" in its manual)."""
    line = "tvm-ffi-build audit --stri"
    asks = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_STDOUT_FILENAME": "out"}
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tvm_ffi_build"]
        subprocess.run(command, check=True, cwd=folder, env={**os.environ, **asks})
        assert (Path(folder) / "out").read_text(encoding="utf-8").split("\v") == ["--strict "]


def test_a_project_is_found_from_a_directory_in_it(tmp_path: Path) -> None:
    (tmp_path / "src/deep").mkdir(parents=True)
    assert find_project(tmp_path / "src/deep") == tmp_path / "src/deep"
    (tmp_path / "pyproject.toml").touch()
    assert find_project(tmp_path / "src/deep") == tmp_path
    (tmp_path / "src/pyproject.toml").touch()
    assert find_project(tmp_path / "src/deep") == tmp_path / "src"
    assert find_project(tmp_path / "src") == tmp_path / "src"
