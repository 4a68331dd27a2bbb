"""What may happen to a command that writes: it is killed or ended, the disk is full, others do the same.

In each case, every file is complete or absent afterwards, and files that existed before are unchanged. The same
command, run once more, succeeds and removes what the first run left behind.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from dying import hidden, state
from support.downloads import download_wheels
from support.processes import run
from support.project import ROOT
from writers import DISKS, EVERYWHERE, FAULTS, SOME, WRITERS

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from support.environments import Builder

DYING = ROOT / "tests/faults/dying.py"


@pytest.fixture
def environment(builder: Builder, tmp_path: Path) -> dict[str, str]:
    """Return the variables for all of them; the runtime for another platform is there already."""
    builder("toolchain", "--platform", "win_amd64", "-o", tmp_path / "toolchain")
    return {**builder.environment, "PYTHONDONTWRITEBYTECODE": "1"}


def try_out(base: Path, writer: str, environment: dict[str, str], most: int) -> None:
    """Try each fault with a command, and check what it has come to."""
    prepare, arguments, out = WRITERS[writer]
    before = base / "before"
    before.mkdir(parents=True)
    prepare(before)
    (before / out).mkdir(exist_ok=True)
    (before / out / "kept.txt").write_text("of somebody else", encoding="utf-8")
    try_faults(base, arguments, environment, most)


def try_faults(
    base: Path, arguments: list[str], environment: dict[str, str], most: int, also: frozenset[int] = frozenset()
) -> None:
    # root, who may write everywhere, gives up that one right.
    rights = ["setpriv", "--bounding-set", "-dac_override"] if os.getuid() == 0 else []
    done = run(*rights, sys.executable, DYING, ",".join(FAULTS), str(most), base, *arguments, env=environment)
    report = json.loads(done.stdout)
    assert report["after"] != report["before"]
    assert report["tried"].keys() == FAULTS.keys()
    for fault, trials in report["tried"].items():
        # Something went wrong, as it was meant to.
        assert fault == "five at once" or any(code for trial in trials for code, _ in trial["ended"]), fault
        for trial in trials:
            check(fault, trial, report["before"], report["after"], also)


def check(
    fault: str, trial: dict[str, Any], before: dict[str, str], after: dict[str, str], also: frozenset[int]
) -> None:
    _, codes, message = FAULTS[fault]
    for code, said in trial["ended"]:
        assert code in codes | also | {0}, trial
        assert "Traceback" not in said
        assert code == 0 or re.search(message, said), said
    for name, digest in trial["state"].items():
        assert digest in {before.get(name), after.get(name)}, (fault, name)
    assert before.keys() <= trial["state"].keys()
    # Who is killed leaves something, and who is told to end while it cleans up.
    assert trial["hidden"] == [] or fault not in {"grows", "read-only", "five at once"}
    again = trial["again"]
    assert (again["code"], again["hidden"], again["state"]) == (0, [], after), trial


@pytest.mark.parametrize("writer", [name for name in WRITERS if name != "wheel"])
def test_what_may_happen(tmp_path: Path, environment: dict[str, str], writer: str) -> None:
    try_out(tmp_path / "base", writer, environment, SOME)


@pytest.mark.slow
@pytest.mark.parametrize("writer", WRITERS)
def test_what_may_happen_at_very_many_moments(tmp_path: Path, environment: dict[str, str], writer: str) -> None:
    try_out(tmp_path / "base", writer, environment, SOME if writer == "wheel" else EVERYWHERE)


# A file system of so many pages, filled with what is there before; then the command, and what it leaves is kept.
ON_A_DISK = """
base=$1 size=$2 then=$3; shift 3
mount -t tmpfs -o "size=$size" tmpfs "$base/disk" && cp -a "$base/before/." "$base/disk" && cd "$base/disk" || exit 99
$then
"$@"; code=$?
cp -a "$base/disk/." "$base/result" && exit $code
"""
PAGE = 4096


def on_a_disk(
    base: Path, size: str, arguments: list[str], environment: dict[str, str], then: str = ":"
) -> subprocess.CompletedProcess[str]:
    """Run a command on a file system of its own, which is gone with it: mounting takes no rights in a new namespace."""
    namespace = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    for name in ("disk", "result"):
        shutil.rmtree(base / name, ignore_errors=True)
        (base / name).mkdir()
    command = [sys.executable, "-m", "tvm_ffi_build", *arguments]
    return run(*namespace, "sh", "-c", ON_A_DISK, "sh", base, size, then, *command, env=environment, ok=False)


def pages(folder: Path) -> int:
    return sum(-(-path.stat().st_size // PAGE) for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow  # as all that mounts
@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_is_full_or_read_only(tmp_path: Path, environment: dict[str, str], writer: str) -> None:
    prepare, arguments, out = WRITERS[writer]
    before, result = tmp_path / "before", tmp_path / "result"
    before.mkdir()
    prepare(before)
    (before / out).mkdir(exist_ok=True)
    (before / out / "kept.txt").write_text("of somebody else", encoding="utf-8")
    done = on_a_disk(tmp_path, "64m", arguments, environment)
    assert done.returncode == 0, done.stderr
    there, whole = state(before), state(result, tmp_path / "disk")
    filled, needed = pages(before), pages(result)
    no_space, locked = DISKS.values()
    full = [(f"{size * PAGE}", ":", no_space) for size in {filled, (filled + needed) // 2, max(filled, needed - 1)}]
    for size, then, message in (*full, ("64m", "mount -o remount,ro disk .", locked)):
        done = on_a_disk(tmp_path, size, arguments, environment, then)
        assert done.returncode in {2, 3}, (size, done)
        assert re.fullmatch(f"(wrote .*\n)*error: .*({message}).*\n(hint: .*\n)?", done.stderr), done.stderr
        left = state(result, tmp_path / "disk")
        assert there.keys() <= left.keys()
        assert all(digest in {there.get(name), whole.get(name)} for name, digest in left.items())
        assert hidden(result) == []


@pytest.mark.slow
def test_a_runtime_that_is_put_into_the_cache(tmp_path: Path, environment: dict[str, str]) -> None:
    """Where one of another platform is kept, each build takes it for whole."""
    before = tmp_path / "base/before"
    before.mkdir(parents=True)
    (before / "kept.txt").touch()
    download_wheels(before / "links", f"apache-tvm-ffi=={find_runtime().version}", platform="win_amd64")
    arguments = ["toolchain", "--platform", "win_amd64", "--find-links", "links", "-o", "out"]
    # pip, which fetches it, is a process of its own; what becomes of that is said with another exit code.
    try_faults(tmp_path / "base", arguments, {**environment, "XDG_CACHE_HOME": "cache"}, 3, frozenset({2}))
