"""The releases of apache-tvm-ffi that the package index has, and their wheels, downloaded once."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tvm_ffi_build.runtime import DISTRIBUTION

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = ["CACHE", "Release", "list_releases", "runtime_folder"]

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "tvm-ffi-build", "ledger")

_LINUX = re.compile(r"manylinux_(\d+)_(\d+)_(x86_64|aarch64)")


@dataclass(frozen=True)
class Release:
    """A final release.

    Attributes:
        version: Its version.
        yanked: Whether it was yanked (PEP 592); an exact pin still installs it.
        platforms: The platform tags of its wheels, each with all its alternatives as in the file's name, sorted.
        pythons: The tags of the Pythons and ABIs of its wheels, such as ``cp312-abi3``, sorted.

    """

    version: str
    yanked: bool
    platforms: tuple[str, ...]
    pythons: tuple[str, ...]

    @property
    def host(self) -> str:
        """The platform tag of what runs here; headers, Python and what is registered are the same on all platforms."""
        return self.linux("x86_64")

    def linux(self, architecture: str) -> str:
        """Return the platform tag for Linux; of several the one with the highest number, as installers choose."""
        numbers = {
            (int(major), int(minor)): tag
            for tag in self.platforms
            for major, minor, one in _LINUX.findall(tag)
            if one == architecture
        }
        return numbers[max(numbers)]


def list_releases() -> list[Release]:
    """Return the final releases, oldest first."""
    listing = Path(__file__).with_name("listing.py")
    done = subprocess.run([sys.executable, listing, DISTRIBUTION], check=True, stdout=subprocess.PIPE, encoding="utf-8")
    platforms: dict[Version, set[str]] = {}
    pythons: dict[Version, set[str]] = {}
    yanked = set()
    for file in json.loads(done.stdout):
        if not file["name"].endswith(".whl"):
            continue
        _, version, _, tags = parse_wheel_filename(file["name"])
        if version.is_prerelease:
            continue
        platforms.setdefault(version, set()).add(file["name"][:-4].rpartition("-")[2])
        pythons.setdefault(version, set()).update(f"{tag.interpreter}-{tag.abi}" for tag in tags)
        if file["yanked"]:
            yanked.add(version)
    return [
        Release(str(version), version in yanked, tuple(sorted(platforms[version])), tuple(sorted(pythons[version])))
        for version in sorted(platforms)
    ]


def runtime_folder(version: str, platform: str, work: Path) -> Path:
    """Return a folder with the unpacked wheel of a release for a platform, without what nothing here looks at."""
    folder = work / version / platform
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f"{platform}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "download",
        "--no-deps",
        "--no-cache-dir",
        "--only-binary",
        ":all:",
        "--dest",
        unfinished,
        "--platform",
        platform.partition(".")[0],
        f"{DISTRIBUTION}=={version}",
    ]
    subprocess.run(command, check=True)
    (wheel,) = unfinished.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        wanted = [name for name in archive.namelist() if "/3rdparty/libbacktrace/" not in name]
        archive.extractall(unfinished, wanted)
    wheel.unlink()
    unfinished.rename(folder)
    return folder
