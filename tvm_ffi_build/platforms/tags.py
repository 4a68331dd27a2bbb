"""Platform tags of wheels: parse, order and spell them (PEP 425, 513, 571, 599, 600, 656).

No other module spells the patterns of these tags; a test of the architecture fails if one does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, cast

from .systems import LINUX, MACOS, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .systems import Platform

__all__ = [
    "FIRST_ARM64_MACOS",
    "UNIVERSAL2",
    "Family",
    "PlatformTag",
    "family_of",
    "fill_version",
    "oldest_system",
    "parse_tags",
    "system_of",
    "tag_pattern",
]

Family = Literal["manylinux", "musllinux", "linux", "macosx", "windows"]

# The architectures of a universal2 library, sorted.
UNIVERSAL2 = ("arm64", "x86_64")
# The first macOS that runs on Apple silicon.
FIRST_ARM64_MACOS = (11, 0)

_ARCHITECTURE = r"([a-z][a-z0-9]*(?:_[a-z0-9]+)*)"
_NUMBER = r"(0|[1-9][0-9]{0,2})"
_VERSIONED = re.compile(rf"(manylinux|musllinux|macosx)_{_NUMBER}_{_NUMBER}_{_ARCHITECTURE}")
_UNVERSIONED = re.compile(rf"(manylinux1|manylinux2010|manylinux2014|linux|win)_{_ARCHITECTURE}")
# The names before PEP 600, with their glibc.
_ALIASES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
# PEP 513 and PEP 571 define their tags for these architectures only.
_FIRST_ARCHITECTURES = {"i686", "x86_64"}
# The one Windows tag that does not follow "win_<architecture>".
_WIN32, _X86 = "win32", "x86"
_PREFIXES: tuple[tuple[str, Family], ...] = (
    ("manylinux", "manylinux"),
    ("musllinux", "musllinux"),
    ("linux", "linux"),
    ("macosx", "macosx"),
    ("win", "windows"),
)


@dataclass(frozen=True)
class PlatformTag:
    """A platform tag. Two tags are equal if they name the same systems, so ``manylinux2014`` equals 2.17.

    Attributes:
        family: The first word of the tag, ``windows`` for ``win_…`` and ``win32``.
        version: The oldest glibc, musl or macOS; None for ``linux`` and ``windows``, whose tags have no version.
        architecture: The architecture as the tag spells it; ``x86`` for ``win32``.
        alias: The name before PEP 600, such as ``manylinux2014``, if the tag is spelled so.

    """

    family: Family
    version: tuple[int, int] | None
    architecture: str
    alias: str | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str) -> PlatformTag | None:
        """Parse a platform tag in any case; return None for ``any`` and for tags that no installer accepts.

        >>> PlatformTag.parse("macosx_11_0_arm64")
        PlatformTag(family='macosx', version=(11, 0), architecture='arm64', alias=None)
        >>> str(PlatformTag.parse("ManyLinux2014_x86_64")), str(PlatformTag.parse("win32"))
        ('manylinux2014_x86_64', 'win32')
        >>> [PlatformTag.parse(text) for text in ("any", "macosx", "manylinux_2_17", "manylinux_99999_0_x86_64")]
        [None, None, None, None]
        """
        text = text.lower()
        match = _VERSIONED.fullmatch(text)
        if match:
            return cls(cast("Family", match[1]), (int(match[2]), int(match[3])), match[4])
        match = _UNVERSIONED.fullmatch(text)
        if match is None:
            return cls("windows", None, _X86) if text == _WIN32 else None
        name, architecture = match[1], match[2]
        if name in _ALIASES:
            is_defined = name == "manylinux2014" or architecture in _FIRST_ARCHITECTURES
            return cls("manylinux", _ALIASES[name], architecture, name) if is_defined else None
        tag = cls("linux" if name == "linux" else "windows", None, architecture)
        return tag if str(tag) == text else None  # "win_x86" is spelled "win32"

    def __str__(self) -> str:
        if self.alias:
            return f"{self.alias}_{self.architecture}"
        return fill_version(self.pattern, self.version)

    @property
    def system(self) -> Platform:
        """The operating system."""
        return _system(self.family)

    @property
    def pattern(self) -> str:
        """The tag without its version, such as ``manylinux_*_x86_64``; see :func:`tag_pattern`."""
        return tag_pattern(self.family, self.architecture)

    def slices(self) -> tuple[PlatformTag, ...]:
        """Return one tag for each architecture; only ``universal2`` has several.

        A universal2 tag below macOS 11 describes its x86_64 slice: Apple silicon runs macOS 11 and newer only.

        >>> list(map(str, PlatformTag("macosx", (10, 9), "universal2").slices()))
        ['macosx_11_0_arm64', 'macosx_10_9_x86_64']
        >>> list(map(str, PlatformTag("macosx", (10, 6), "fat").slices()))
        ['macosx_10_6_fat']
        """
        if self.family != "macosx" or self.architecture != "universal2" or self.version is None:
            return (self,)
        versions = {"arm64": max(self.version, FIRST_ARM64_MACOS)}
        return tuple(replace(self, architecture=one, version=versions.get(one, self.version)) for one in UNIVERSAL2)


def parse_tags(texts: Iterable[str]) -> Iterator[PlatformTag]:
    """Yield the platform tags among texts; skip ``any`` and what no installer accepts."""
    for text in texts:
        tag = PlatformTag.parse(text)
        if tag is not None:
            yield tag


def oldest_system(texts: Iterable[str]) -> tuple[int, int] | None:
    """Return the lowest version that tags of one family name, or None if none of them has a version.

    >>> oldest_system(["manylinux_2_28_x86_64", "manylinux_2_5_x86_64"]), oldest_system(["win_amd64"])
    ((2, 5), None)
    """
    return min((tag.version for tag in parse_tags(texts) if tag.version is not None), default=None)


def tag_pattern(family: Family, architecture: str) -> str:
    """Return a tag with ``*`` for its version, as the ledger of the runtime's releases names platforms.

    >>> tag_pattern("manylinux", "x86_64"), tag_pattern("windows", "amd64"), tag_pattern("windows", "x86")
    ('manylinux_*_x86_64', 'win_amd64', 'win32')
    """
    if family == "windows":
        return _WIN32 if architecture == _X86 else f"win_{architecture}"
    return f"linux_{architecture}" if family == "linux" else f"{family}_*_{architecture}"


def fill_version(pattern: str, version: tuple[int, int] | None) -> str:
    """Return the tag that a pattern of :func:`tag_pattern` and a version make.

    >>> fill_version("macosx_*_arm64", (11, 0)), fill_version("win_amd64", None)
    ('macosx_11_0_arm64', 'win_amd64')
    """
    return pattern.replace("*", "{}_{}".format(*version)) if version else pattern


def family_of(text: str) -> Family | None:
    """Return the family of a tag, also of a malformed one, so that a repair can replace it.

    >>> family_of("musllinux_1_2_x86_64"), family_of("win32"), family_of("manylinux_2_17"), family_of("any")
    ('musllinux', 'windows', 'manylinux', None)
    """
    text = text.lower()
    return next((family for prefix, family in _PREFIXES if text.startswith(prefix)), None)


def system_of(text: str) -> Platform | None:
    """Return the operating system of a tag, also of a malformed one; None for ``any`` and unknown systems.

    >>> system_of("macosx_11_0_arm64").name, system_of("any")
    ('macos', None)
    """
    family = family_of(text)
    return None if family is None else _system(family)


def _system(family: Family) -> Platform:
    return {"macosx": MACOS, "windows": WINDOWS}.get(family, LINUX)
