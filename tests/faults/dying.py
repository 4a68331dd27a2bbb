"""Runs a command again and again, each time in a copy of the same folder and with another thing going wrong.

``python dying.py FAULTS MOST BASE ARGUMENTS...``: each trial copies the directory ``BASE/before`` and runs the command
in the copy, in a fork of this process. FAULTS are separated by commas. Each fault gets at most MOST trials, spread over
the command's run. Prints JSON: the contents of the directory before, and after a run without a fault; for each trial,
how it ended, the contents of the directory then, and its contents after running the same command there once more.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from tvm_ffi_build.__main__ import COMMANDS, main

if TYPE_CHECKING:
    from collections.abc import Callable

# What changes something on disk, or is about to.
_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Steps:
    """Counts the steps of this process, and does something at one of them."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self.count, self.number, self.act = 0, number, act

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _STEPS or (event == "open" and not (arguments[2] or 0) & _WRITES):
            return
        self.count += 1
        if self.count == self.number:
            self.act()


def state(folder: Path, made_in: Path | None = None) -> dict[str, str]:
    """Return a digest of each file in a folder, but for hidden and temporary ones, wherever it was made."""
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and parts[0] != "temporary" and not any(part.startswith(".tvm-ffi-build-") for part in parts):
            content = path.read_bytes().replace(os.fsencode(made_in or folder), b"<here>")
            found["/".join(parts)] = hashlib.sha256(content).hexdigest()
    return found


def hidden(folder: Path) -> list[str]:
    """Return the folders of unfinished work that are still there."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob(".tvm-ffi-build-*")]


class Started(NamedTuple):
    """A process that runs the command, and where it says something; not a file, whose size may be limited."""

    process: int
    said: int


def start(folder: Path, arguments: list[str], prepare: Callable[[], None] = lambda: None) -> Started:
    """Run the command in a process of its own."""
    read, write = os.pipe()
    process = os.fork()
    if process:
        os.close(write)
        return Started(process, read)
    os.chdir(folder)
    os.environ["TMPDIR"] = str(folder / "temporary")
    os.dup2(write, 1)
    os.dup2(write, 2)
    prepare()
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001  (this is what is looked for)
        sys.excepthook(*sys.exc_info())
        code = 99
    if sys.stdout is not None:
        sys.stdout.flush()
    os._exit(code)


def end(started: Started) -> tuple[int, str]:
    """Wait for a process; return its exit code, or the negative number of a signal, and what it said."""
    with os.fdopen(started.said, encoding="utf-8", errors="replace") as said:
        text = said.read()
    status = os.waitpid(started.process, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), text


def copy(base: Path, name: str) -> Path:
    """Return a copy of the folder, with one for temporary files."""
    folder = base / name
    shutil.copytree(base / "before", folder, symlinks=True)
    (folder / "temporary").mkdir()
    (folder / "temporary").chmod(0o777)
    return folder


def count_steps(folder: Path, arguments: list[str]) -> int:
    """Return how many steps there are where nothing goes wrong."""
    read, write = os.pipe()

    def prepare() -> None:
        steps = Steps(0, lambda: None)
        sys.addaudithook(steps)
        leave = os._exit

        def tell(status: int) -> NoReturn:
            os.write(write, str(steps.count).encode())
            leave(status)

        os._exit = tell

    code, said = end(start(folder, arguments, prepare))
    if code:
        raise SystemExit(f"{code}: {said}")
    return int(os.read(read, 99))


def make_old(base: Path, arguments: list[str]) -> None:
    """Put some of what the command makes where it will make it, in an older form: half is new, and half is there."""
    first = copy(base, "first")
    count_steps(first, arguments)
    for name in [name for name in state(first) if not (base / "before" / name).exists()][::2]:
        old = base / "before" / name
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_bytes(b"old")


def at_step(number: int, by: signal.Signals) -> None:
    """Let this process get a signal at one of its steps."""
    sys.addaudithook(Steps(number, lambda: os.kill(os.getpid(), by)))


def no_larger_than(size: int, *, killed: bool) -> None:
    """Let files grow to a size and no more: a write to more than that fails, or ends this process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if killed else signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def make_read_only() -> None:
    """Let nobody write into this folder and those below but for temporary files; root must have given up its rights."""
    for folder, folders, _ in os.walk("."):
        folders[:] = [name for name in folders if name != "temporary"]
        Path(folder).chmod(0o555)


def make_writable(folder: Path) -> None:
    """Undo that."""
    for inner, _, _ in os.walk(folder):
        Path(inner).chmod(0o755)


def trials(fault: str, most: int, base: Path, steps: int) -> list[Callable[[], None]]:
    """Return what is to be done first, in each of the processes that something goes wrong in."""
    if fault in signal.Signals.__members__:
        chosen = sorted({1 + at * (steps - 1) // max(most - 1, 1) for at in range(most)})
        return [partial(at_step, step, signal.Signals[fault]) for step in chosen]
    if fault in {"grows", "cut"}:
        largest = max(path.stat().st_size for path in (base / "after").rglob("*") if path.is_file())
        limits = sorted({0, largest // 2, largest - 1})
        return [partial(no_larger_than, limit, killed=fault == "cut") for limit in limits]
    return [make_read_only] if fault == "read-only" else [lambda: None] * 5


def describe(folder: Path, ended: list[tuple[int, str]], arguments: list[str]) -> dict[str, Any]:
    """Say what a trial has come to, and what the same command makes of that."""
    make_writable(folder)
    report = {"ended": ended, "state": state(folder), "hidden": hidden(folder)}
    # What is quite new may be somebody's who has not said so yet.
    for name in hidden(folder):
        os.utime(folder / name, (0, 0))
    code, said = end(start(folder, arguments))
    return {**report, "again": {"code": code, "said": said, "state": state(folder), "hidden": hidden(folder)}}


def run(faults: list[str], most: int, base: Path, arguments: list[str]) -> dict[str, Any]:
    """Try some faults."""
    make_old(base, arguments)
    steps = count_steps(copy(base, "after"), arguments)
    tried: dict[str, list[dict[str, Any]]] = {}
    for fault in faults:
        prepared = trials(fault, most, base, steps)
        together = [prepared] if fault == "five at once" else [[one] for one in prepared]
        for number, at_once in enumerate(together):
            folder = copy(base, f"trial-{number}")
            running = [start(folder, arguments, prepare) for prepare in at_once]
            tried.setdefault(fault, []).append(describe(folder, [end(one) for one in running], arguments))
            shutil.rmtree(folder)
    return {"steps": steps, "before": state(base / "before"), "after": state(base / "after"), "tried": tried}


if __name__ == "__main__":
    # Imported once, before the forks.
    for _, module, _ in COMMANDS:
        import_module(module, "tvm_ffi_build")
    print(json.dumps(run(sys.argv[1].split(","), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])))  # noqa: T201
