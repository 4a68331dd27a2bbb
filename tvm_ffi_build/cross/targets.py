"""What wheels can be built for: platform tags, and what compilers and CMake call the same."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..errors import PlatformError
from ..platforms.systems import LINUX, MACOS, WINDOWS
from ..platforms.tags import PlatformTag, family_of, fill_version, tag_pattern

if TYPE_CHECKING:
    from ..platforms.systems import Platform
    from ..platforms.tags import Family

__all__ = ["ALL", "NATIVE", "Target", "parse_target", "parse_version"]

# Words that stand for more than a tag: every platform of the runtime, and this machine with its own compiler.
ALL, NATIVE = "all", "native"

# By the architecture, as tags spell it: what zig and what CMake call it.
_ARCHITECTURES = {
    ("linux", "x86_64"): ("x86_64", "x86_64"),
    ("linux", "aarch64"): ("aarch64", "aarch64"),
    ("macos", "arm64"): ("aarch64", "arm64"),
    ("macos", "x86_64"): ("x86_64", "x86_64"),
    ("windows", "amd64"): ("x86_64", "AMD64"),
    ("windows", "arm64"): ("aarch64", "ARM64"),
}
_CMAKE_SYSTEMS = {"linux": "Linux", "macos": "Darwin", "windows": "Windows"}
# The families of tags that the runtime's wheels have.
_FAMILIES: dict[Platform, Family] = {LINUX: "manylinux", MACOS: "macosx", WINDOWS: "windows"}
_EXAMPLES = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "macosx_11_0_arm64",
    "win_amd64",
    "win_arm64",
    NATIVE,
    ALL,
)


@dataclass(frozen=True)
class Target:
    """A platform to build for.

    Attributes:
        system: Its operating system.
        architecture: As wheel tags spell it.
        version: The oldest glibc or macOS; None on Windows, whose tags have none.

    """

    system: Platform
    architecture: str
    version: tuple[int, int] | None = None

    @property
    def tag(self) -> str:
        """The platform tag of its wheels (PEP 600 on Linux)."""
        return fill_version(self.family, self.version)

    @property
    def family(self) -> str:
        """Its tag without the version, as the ledger of the runtime's releases has it."""
        return tag_pattern(_FAMILIES[self.system], self.architecture)

    @property
    def built_tag(self) -> str:
        """The platform tag of a wheel as it is built, before its repair has found out what it needs."""
        return tag_pattern("linux", self.architecture) if self.system == LINUX else self.tag

    @property
    def triple(self) -> str:
        """What zig calls it."""
        version = "{}.{}".format(*self.version) if self.version else ""
        system = {LINUX: f"linux-gnu.{version}", MACOS: f"macos.{version}", WINDOWS: "windows-gnu"}[self.system]
        return f"{_ARCHITECTURES[self.system.name, self.architecture][0]}-{system}"

    @property
    def cmake_system(self) -> str:
        """What CMake calls its operating system."""
        return _CMAKE_SYSTEMS[self.system.name]

    @property
    def cmake_processor(self) -> str:
        """What CMake calls its architecture."""
        return _ARCHITECTURES[self.system.name, self.architecture][1]

    @property
    def runs_here(self) -> bool:
        """Whether programs for it run on this machine."""
        return self.system == LINUX and sys.platform == "linux" and platform.machine() == self.architecture


def parse_target(tag: str) -> Target:
    """Return the platform of a tag.

    >>> parse_target("manylinux2014_aarch64").triple
    'aarch64-linux-gnu.2.17'
    >>> parse_target("win_arm64").cmake_processor
    'ARM64'

    Raises:
        PlatformError: Nothing can be built for it, or it is no tag; those that are like it are named.

    """
    parsed = PlatformTag.parse(tag)
    if parsed and parsed.family in _FAMILIES.values() and (parsed.system.name, parsed.architecture) in _ARCHITECTURES:
        if parsed.version is not None:
            _require_sensible(parsed.system, parsed.version, tag)
        return Target(parsed.system, parsed.architecture, parsed.version)
    if family_of(tag) == "musllinux":
        raise PlatformError(f"{tag} cannot be: apache-tvm-ffi, which every wheel needs, has no wheels for musl")
    if tag in {ALL, NATIVE}:
        raise PlatformError(f"{tag!r} stands for no single platform", f"write one such as {_EXAMPLES[0]}")
    near = get_close_matches(tag, _EXAMPLES, n=2, cutoff=0.5) or _EXAMPLES
    raise PlatformError(f"{tag!r} is not a platform that wheels can be built for", f"did you mean {' or '.join(near)}?")


def parse_version(text: str) -> tuple[int, int]:
    """Return a version of glibc or macOS, as an option has it.

    >>> parse_version("2_17"), parse_version("11.0"), parse_version("12")
    ((2, 17), (11, 0), (12, 0))

    Raises:
        PlatformError: It is none.

    """
    match = re.fullmatch(r"(\d{1,3})(?:[._](\d{1,3}))?", text)
    if not match:
        raise PlatformError(
            f"{text!r} is not a version", "use the form of tags, such as 2_28 for glibc and 11_0 for macOS"
        )
    return int(match[1]), int(match[2] or 0)


def _require_sensible(system: Platform, version: tuple[int, int], tag: str) -> None:
    """Refuse a version that no machine says it has."""
    major, minor = version
    if system == LINUX and major != 2:
        raise PlatformError(f"{tag}: unknown version: glibc {major}.{minor}", "write one such as manylinux_2_28")
    if system == MACOS and major >= 11 and minor:
        raise PlatformError(
            f"{tag}: from macOS 11 on, installers compare only the major version",
            f"write macosx_{major}_0 or macosx_{major + 1}_0",
        )
