"""What may happen to a repair alone: killed in the archive, links in its way, no room for its tools: no half wheels.

What may happen to every command that writes is in ``tests/faults``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.errors import read_error
from support.processes import run

from tvm_ffi_build.wheels import open_wheel

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

REPAIR = [sys.executable, "-m", "tvm_ffi_build", "repair"]
# Repairs a wheel in forks of one process, so that the program is imported once.
FORKS = """
import os, random, signal, sys, time
from tvm_ffi_build.__main__ import main
from tvm_ffi_build.repair import command
from tvm_ffi_build.wheels.writer import ArchiveWriter

def start(out, prepare=lambda: None):
    process = os.fork()
    if not process:
        prepare()
        main(["repair", sys.argv[1], "-w", out])
        print("writes left:", left, flush=True)
        os._exit(0)
    return process

def end(process):
    status = os.waitpid(process, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

left = 0
"""
# In each, the process ends itself, as the system would, in the middle of a write to the archive.
DYING = f"""{FORKS}
write = ArchiveWriter._write

def dying_write(self, data):
    global left
    left -= 1
    if left < 0:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, data)

ArchiveWriter._write = dying_write
for left in map(int, sys.argv[3:]):
    print("ended:", end(start(f"{{sys.argv[2]}}/out-{{left}}")), flush=True)
"""
# Kills each at a random time.
KILLED = f"""{FORKS}
started = time.monotonic()
assert end(start(f"{{sys.argv[2]}}/timed")) == 0
usual = time.monotonic() - started
chance = random.Random(5)
for number in range(int(sys.argv[3])):
    process = start(f"{{sys.argv[2]}}/out-{{number}}")
    time.sleep(chance.uniform(0, 1.1 * usual))
    os.kill(process, signal.SIGKILL)
    end(process)
"""
MANY = 10_000


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def wheel(example_wheel: Path, tmp_path: Path) -> Path:
    """Return a wheel that waits for its repair, and nobody else's."""
    return Path(shutil.copy(example_wheel, tmp_path))


@pytest.fixture
def whole(wheel: Path, tmp_path: Path) -> Path:
    """Return what becomes of it."""
    run(*REPAIR, wheel, "-w", tmp_path / "whole")
    (made,) = (tmp_path / "whole").iterdir()
    return made


def whole_or_absent(out: Path, whole: Path) -> bool:
    """Check that there is no half wheel; return whether there is one."""
    found = [path for path in out.rglob("*.whl") if not path.relative_to(out).parts[0].startswith(".tvm-ffi-build-")]
    assert [path.name for path in found] in ([], [whole.name])
    assert [digest(path) for path in found] in ([], [digest(whole)])
    return bool(found)


def test_a_kill_in_the_middle_of_any_write(wheel: Path, whole: Path, tmp_path: Path) -> None:
    before = digest(wheel)

    def dying(*numbers: int) -> str:
        return run(sys.executable, "-c", DYING, wheel, tmp_path, *map(str, numbers)).stdout

    writes = MANY - int(re.findall(r"writes left: (\d+)", dying(MANY))[0])
    assert writes > 30
    # Every one would take long: some all over, and the last ones, where the directory is written.
    numbers = [*range(0, writes, writes // 9), *range(writes - 3, writes)]
    assert dying(*numbers).splitlines() == ["ended: -9"] * len(numbers)
    for number in numbers:
        out = tmp_path / f"out-{number}"
        assert not out.exists() or not whole_or_absent(out, whole)
    assert digest(wheel) == before


def test_a_kill_at_any_time(wheel: Path, whole: Path, tmp_path: Path) -> None:
    before = digest(wheel)
    run(sys.executable, "-c", KILLED, wheel, tmp_path, "12")
    for number in range(12):
        whole_or_absent(tmp_path / f"out-{number}", whole)
    assert digest(wheel) == before


def refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert re.fullmatch(message, read_error(done.stderr)), done.stderr


def test_an_output_folder_that_is_a_file(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run(*REPAIR, wheel, "-w", tmp_path / "file", ok=False)
    refused(done, ".*file cannot be written: .*; choose another directory with -w")


def test_a_folder_where_the_result_should_be(wheel: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / whole.name / "inner").mkdir(parents=True)
    done = run(*REPAIR, wheel, "-w", out, ok=False)
    refused(done, ".*out cannot be written: .*; choose another directory with -w")
    assert [path.name for path in out.iterdir()] == [whole.name]


def test_a_link_where_the_result_should_be_is_replaced_and_not_followed(
    wheel: Path, whole: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.write_text("kept", encoding="utf-8")
    (out / whole.name).symlink_to(other)
    run(*REPAIR, wheel, "-w", out)
    assert whole_or_absent(out, whole)
    assert other.read_text(encoding="utf-8") == "kept"


def test_a_link_to_the_input_where_the_result_should_be(wheel: Path, whole: Path, tmp_path: Path) -> None:
    """The input is never changed; whether this is refused or the link replaced, it stays."""
    before, out = digest(wheel), tmp_path / "out"
    out.mkdir()
    (out / whole.name).symlink_to(wheel)
    run(*REPAIR, wheel, "-w", out, ok=False)
    assert digest(wheel) == before
    with open_wheel(wheel) as opened:
        opened.verify()


@pytest.mark.slow  # as all that mounts
@pytest.mark.parametrize("room", ["4k", "64k"], ids=["for nothing", "for no library"])
def test_a_full_temporary_folder(wheel: Path, tmp_path: Path, small_disk: Callable[[str], Path], room: str) -> None:
    disk, out = small_disk(room), tmp_path / "out"
    done = run(*REPAIR, wheel, "-w", out, env={**os.environ, "TMPDIR": str(disk)}, ok=False)
    refused(done, rf"{disk} cannot be written: No space left on device; set TMPDIR to another directory")
    assert not out.exists()
    assert list(disk.iterdir()) == []


@pytest.mark.slow
def test_a_temporary_folder_that_is_full_for_the_tool(
    wheel: Path, tmp_path: Path, small_disk: Callable[[str], Path]
) -> None:
    """There is room for the library and the wheel that it reads, and not for what it unpacks."""
    with open_wheel(wheel) as opened:
        size = sum(member.file_size for member in opened.archive.members.values())
    disk = small_disk(f"{int(2.6 * size) >> 10}k")
    out, environment = tmp_path / "out", {**os.environ, "TMPDIR": str(disk)}
    done = run(*REPAIR, wheel, "--strip", "-w", out, env=environment, ok=False)
    refused(done, "auditwheel found no space for its work; set TMPDIR to another directory")
    assert list(out.iterdir()) == []
    assert list(disk.iterdir()) == []


@pytest.mark.slow
def test_a_read_only_input(wheel: Path, whole: Path, tmp_path: Path, read_only: Callable[[Path], Path]) -> None:
    (tmp_path / "locked").mkdir()
    shutil.copy(wheel, tmp_path / "locked")
    run(*REPAIR, read_only(tmp_path / "locked") / wheel.name, "-w", tmp_path / "out")
    assert whole_or_absent(tmp_path / "out", whole)
