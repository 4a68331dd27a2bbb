"""What may happen to a command that writes: it is killed or ended, the disk is full, others do the same.

Whatever it is, a file is whole or absent afterwards, what was there before is there still, and the same command, run once
more, comes to its end and removes what was left.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, run
from dying import hidden, state
from forged_wheels import NAME, archive, honest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Builder

DYING = ROOT / "tests/faults/dying.py"
# Moments at which a command is stopped by each signal.
SOME = 4
BACKEND = f"""
import shutil
def build_wheel(folder, config_settings=None, metadata_directory=None):
    shutil.copy("{NAME}", folder)
    return "{NAME}"
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
FUNCTION = '{"type": "ffi.Function", "named_args": {"return": [{"type": "int"}], "params": [{"type": "int"}]}}'
STUB = "import tvm_ffi, typing\n# tvm-ffi-stubgen(begin): global/a\n# tvm-ffi-stubgen(end)\n"


def for_repair(folder: Path) -> None:
    (folder / NAME).write_bytes(archive(honest()))


def for_wheel(folder: Path) -> None:
    for_repair(folder)
    (folder / "backend.py").write_text(BACKEND, encoding="utf-8")
    (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")


def for_stubgen(folder: Path) -> None:
    functions = {"a.f": {"type": FUNCTION, "doc": None}, "a.b.g": {"type": FUNCTION, "doc": "text " * 2000}}
    snapshot = {"schema": 1, "runtime": "1", "functions": functions, "types": {}, "libraries": {}}
    (folder / "snapshot.json").write_text(json.dumps(snapshot), encoding="utf-8")
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text(STUB, encoding="utf-8")


def for_nothing(_: Path) -> None:
    """Prepare nothing."""


# The commands that write: what has to be there, their arguments, and where they write.
WRITERS: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "repair": (for_repair, ["-q", "repair", NAME, "-w", "out"], "out"),
    "repair into its input's folder": (for_repair, ["-q", "repair", NAME, "-w", "."], "."),
    "wheel": (for_wheel, ["-q", "wheel", "--no-isolation", "--frontend", "build", "-w", "out"], "out"),
    "stubgen": (for_stubgen, ["stubgen", ".", "--snapshot", "snapshot.json"], "."),
    "stubgen from nothing": (
        for_stubgen,
        ["stubgen", "new", "--snapshot", "snapshot.json", "--init-pypkg", "a", "--init-lib", "a", "--init-prefix", "a."],
        "new",
    ),
    "new": (for_nothing, ["-q", "new", "my-kernels", "--force"], "."),
    "toolchain": (for_nothing, ["toolchain", "--platform", "win_amd64", "-o", "out"], "out"),
}  # fmt: skip
# How each may end, and what is said then.
FAULTS: dict[str, tuple[set[int], str]] = {
    "SIGKILL": ({-signal.SIGKILL}, ""),
    "SIGTERM": ({143}, ""),
    "SIGINT": ({130}, "tvm-ffi-build: interrupted\n"),
    "cut": ({-signal.SIGXFSZ}, ""),
    "grows": ({2, 7, 8}, "tvm-ffi-build: error: .*(File too large|No usable temporary|could not be built).*\n"),
    "read-only": ({2, 8}, "tvm-ffi-build: error: .*cannot be written: Permission denied.*\n"),
    "five at once": (set(), ""),
}


@pytest.fixture
def environment(builder: Builder, tmp_path: Path) -> dict[str, str]:
    """Return the variables for all of them; the runtime for another platform is there already."""
    builder("toolchain", "--platform", "win_amd64", "-o", tmp_path / "toolchain")
    return {**builder.environment, "PYTHONDONTWRITEBYTECODE": "1"}


def try_out(base: Path, writer: str, environment: dict[str, str], most: int) -> None:
    """Try each fault, and check what it has come to."""
    prepare, arguments, out = WRITERS[writer]
    before = base / "before"
    before.mkdir(parents=True)
    prepare(before)
    (before / out).mkdir(exist_ok=True)
    (before / out / "kept.txt").write_text("of somebody else", encoding="utf-8")
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
            check(fault, trial, report["before"], report["after"])


def check(fault: str, trial: dict[str, Any], before: dict[str, str], after: dict[str, str]) -> None:
    codes, message = FAULTS[fault]
    for code, said in trial["ended"]:
        assert code in codes | {0}, trial
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
    try_out(tmp_path / "base", writer, environment, 8 if writer == "wheel" else 80)


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
    full = [
        (f"{size * PAGE}", ":", "No space left on device")
        for size in {filled, (filled + needed) // 2, max(filled, needed - 1)}
    ]
    for size, then, message in (*full, ("64m", "mount -o remount,ro disk .", "Read-only file system")):
        done = on_a_disk(tmp_path, size, arguments, environment, then)
        assert done.returncode in {2, 7, 8}, (size, done)
        assert re.fullmatch(f"(wrote .*\n)*tvm-ffi-build: error: .*({message}).*\n", done.stderr), done.stderr
        left = state(result, tmp_path / "disk")
        assert there.keys() <= left.keys()
        assert all(digest in {there.get(name), whole.get(name)} for name, digest in left.items())
        assert hidden(result) == []
