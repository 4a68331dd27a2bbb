"""Run a program and capture what it prints."""

from __future__ import annotations

import codecs
import io
import os
import selectors
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING

from ..errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["last_line", "read_lines", "run_bounded", "run_program", "watched_group"]

# Bytes of output that are kept of a program that was written by others.
_MOST_OUTPUT = 1 << 16
# Bytes that are read of it.
_MOST_READ = 64 << 20
# Seconds in which the last output is read. A process that left the group may hold the pipe open for longer.
_CLOSING = 1
# Seconds until a signal is handled while a program prints nothing.
_POLL = 0.5


def run_program(
    command: Sequence[str | os.PathLike[str]],
    *,
    hint: str = "",
    merge_output: bool = False,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program without standard input, and return its exit status and output, whatever the status is.

    Output is UTF-8. Bytes that are not are replaced, because compilers quote source files of any encoding.

    Args:
        command: The program and its arguments.
        hint: What to type if the program cannot be started.
        merge_output: Capture standard error in ``stdout``, in the order in which the program wrote both.
        cwd: The directory to run in; the current one by default.
        env: The whole environment; that of this process by default.
        timeout: Seconds after which the program is killed.

    Raises:
        MissingToolError: The program cannot be started. The cause is an OSError.
        subprocess.TimeoutExpired: It took too long.

    """
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=env,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge_output else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
    except OSError as error:
        raise MissingToolError(f"{os.fspath(command[0])} cannot be run: {error.strerror}", hint) from error


def run_bounded(
    command: Sequence[str | os.PathLike[str]],
    *,
    timeout: float,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program that others wrote, and end it with all that it started; return its status and its last output.

    Standard error is captured in ``stdout``. Only the end of the output is kept, so that memory does not grow with it,
    and after 64 MiB nothing is read any more.

    Args:
        command: The program and its arguments.
        timeout: Seconds after which the program is killed.
        cwd: The directory to run in; the current one by default.
        env: The whole environment; that of this process by default.

    Raises:
        MissingToolError: The program cannot be started. The cause is an OSError.
        subprocess.TimeoutExpired: It took too long. ``output`` is the last of what it printed.

    """
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own, so that what it starts can be ended with it.
            start_new_session=True,
        )
    except OSError as error:
        raise MissingToolError(f"{os.fspath(command[0])} cannot be run: {error.strerror}") from error
    assert process.stdout is not None  # noqa: S101  (says so to the type checker)
    kept = bytearray()
    # A thread, because a program that is not read from stops when the pipe is full.
    reader = Thread(target=_keep_end, args=(process.stdout, kept), daemon=True)
    reader.start()
    in_time = True
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        in_time = False
    finally:
        _kill_group(process)
        reader.join(_CLOSING)
    output = bytes(kept).decode("utf-8", "replace")
    if not in_time:
        raise subprocess.TimeoutExpired(command, timeout, output)
    return subprocess.CompletedProcess(command, process.returncode, output)


def _keep_end(pipe: IO[bytes], kept: bytearray) -> None:
    read = 0
    with pipe:
        # Then the pipe is closed, so that writing fails at once instead of taking the time that reading takes.
        while read < _MOST_READ and (piece := os.read(pipe.fileno(), _MOST_OUTPUT)):
            read += len(piece)
            kept += piece
            del kept[:-_MOST_OUTPUT]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and what it started, also if only that still runs."""
    if sys.platform == "win32":
        process.kill()
    else:
        # While the group has members, its number is not given to another process.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def watched_group(group: int, directory: Path) -> Iterator[None]:
    """End a process group and remove its directory if this process is killed meanwhile; not on Windows.

    Args:
        group: The number of the group.
        directory: What belongs to its processes only.

    """
    if sys.platform == "win32":
        yield
        return
    script = Path(__file__).with_name("watch_group.py")
    # Isolated and without site, which takes half of the time to start.
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", script, str(group), directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    try:
        yield
    finally:
        with suppress(OSError):  # it was killed
            watcher.communicate(b".")


def read_lines(pipe: IO[str]) -> Iterator[str]:
    """Yield the lines of a program's output as it prints them, also where a signal arrives while it prints nothing.

    Python handles a signal between two system calls. One that arrives just before a read begins would be handled when
    the program prints its next line, which can take as long as a compiler works.
    """
    if sys.platform == "win32":  # which cannot wait for a pipe with a time limit
        yield from pipe
        return
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        rest = ""
        while True:
            if not selector.select(_POLL):
                continue
            data = os.read(pipe.fileno(), 1 << 16)
            *lines, rest = (rest + decoder.decode(data, final=not data)).split("\n")
            yield from lines
            if not data:
                break
    if rest:
        yield rest


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that a program printed, or how it ended if it printed nothing."""
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if lines:
        return lines[-1]
    return f"ended by signal {-done.returncode}" if done.returncode < 0 else ""
