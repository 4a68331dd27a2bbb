"""What all commands have in common."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tvm_ffi_build import __version__, errors
from tvm_ffi_build.__main__ import main
from tvm_ffi_build.cli import run


def test_every_error_has_an_exit_code_of_its_own() -> None:
    codes = [getattr(errors, name).exit_code for name in errors.__all__]
    assert len(set(codes)) == len(codes)
    # 2 is argparse's word for wrong usage.
    assert not {0, 2} & set(codes)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"tvm-ffi-build {__version__}\n"


@pytest.mark.parametrize("command", ["wheel", "config"])
def test_every_command_is_quiet_or_verbose_and_not_both(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "-q", "-v"])
    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_an_error_is_a_line_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise errors.OutputError("x cannot be written; do y")

    with pytest.raises(SystemExit) as caught:
        run("program", command)
    assert caught.value.code == errors.OutputError.exit_code
    assert capsys.readouterr().err == "program: error: x cannot be written; do y\n"


def test_an_interrupt_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run("program", command)
    assert caught.value.code == 130
    assert capsys.readouterr().err == "program: interrupted\n"


def test_a_reader_that_leaves_is_no_traceback() -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -m tvm_ffi_build.config --json | true; exit ${PIPESTATUS[0]}', sys.executable],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    assert done.returncode in {0, 141}
