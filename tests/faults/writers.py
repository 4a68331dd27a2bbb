"""The commands that write, and what may happen to them while they do."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from forged_wheels import NAME, archive, honest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Moments at which a command gets each signal: in every test run, and in the slow ones.
SOME, EVERYWHERE = 4, 20
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
    snapshot = {"schema": 1, "runtime": "1", "functions": functions, "types": {}, "libraries": {"liba.so": {}}}
    (folder / "snapshot.json").write_text(json.dumps(snapshot), encoding="utf-8")
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text(STUB, encoding="utf-8")


def for_nothing(_: Path) -> None:
    """Prepare nothing."""


# The commands that write: what has to be there, their arguments, and where they write.
WRITERS: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "repair": (for_repair, ["-q", "repair", NAME, "-w", "out"], "out"),
    "repair into its input's directory": (for_repair, ["-q", "repair", NAME, "-w", "."], "."),
    "wheel": (for_wheel, ["-q", "wheel", "--no-isolation", "--frontend", "build", "-w", "out"], "out"),
    "stubgen": (for_stubgen, ["stubgen", ".", "--snapshot", "snapshot.json"], "."),
    "stubgen from nothing": (
        for_stubgen,
        [
            "stubgen",
            "new",
            "--snapshot",
            "snapshot.json",
            "--init-pypkg",
            "a",
            "--init-lib",
            "a",
            "--init-prefix",
            "a.",
        ],
        "new",
    ),
    "new": (for_nothing, ["-q", "new", "my-kernels", "--force"], "."),
    "toolchain": (for_nothing, ["toolchain", "--platform", "win_amd64", "-o", "out"], "out"),
}
# What goes wrong, how each run may end then, beside well, and what it says.
FAULTS: dict[str, tuple[str, set[int], str]] = {
    "SIGKILL": ("SIGKILL", {-signal.SIGKILL}, ""),
    "SIGTERM": ("SIGTERM, as sent by a CI system that cancels a job", {143}, ""),
    "SIGINT": ("Ctrl-C", {130}, "interrupted\n"),
    "cut": ("killed during a write", {-signal.SIGXFSZ, 3}, ""),
    "grows": (
        "file size limit",
        {2, 3},
        "error: .*(File too large|No usable temporary|could not be built).*\n(hint: .*\n)?",
    ),
    "read-only": (
        "no write permission",
        {2},
        "error: .*cannot be written: Permission denied.*\n(hint: .*\n)?",
    ),
    "five at once": ("five at a time, in the same directory", set(), ""),
}
# On a file system of its own, which takes a moment to mount: what is done to it, and what is said of it.
DISKS = {
    "a full disk, at three sizes": "No space left on device",
    "a read-only disk": "Read-only file system",
}
