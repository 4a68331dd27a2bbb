"""Which compatibility tags an installer tries, on any machine: what ``packaging.tags`` yields (PEP 425, 513, 600, 656).

A wheel is installed by the tags that an installer tries, and by no others, however sensible they look.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from ..platforms.tags import PlatformTag, family_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..platforms.tags import Family

__all__ = ["is_other_system", "platform_fault", "tag_faults"]

_EXAMPLES: dict[Family, str] = {
    "manylinux": "manylinux_2_28_x86_64",
    "musllinux": "musllinux_1_2_x86_64",
    "linux": "linux_x86_64",
    "macosx": "macosx_11_0_arm64",
    "windows": "win_amd64",
}
# packaging/_manylinux.py: for these and for the two of _X86.
_GLIBC = {"aarch64", "armv7l", "armv8l", "loongarch64", "ppc64", "ppc64le", "riscv64", "s390x"}
_X86 = {"i686", "x86_64"}
# What "uname -m" answers.
_UNAME = {"alpha", "armv5tejl", "armv5tel", "armv6l", "hppa", "i386", "i486", "i586", "ia64", "m68k"}
_UNAME |= {"loongarch32", "mips", "mips64", "parisc", "parisc64", "ppc", "riscv32", "s390", "sh4", "sparc", "sparc64"}
_FAT = {"fat", "fat3", "fat32", "fat64", "intel", "universal", "universal2"}
_ARCHITECTURES: dict[Family, set[str]] = {
    "manylinux": _X86 | _GLIBC,
    "musllinux": _X86 | _GLIBC | _UNAME,
    "linux": _X86 | _GLIBC | _UNAME,
    # As packaging.tags has them.
    "macosx": {"arm64", "i386", "ppc", "ppc64", "x86_64"} | _FAT,
    # sysconfig.get_platform
    "windows": {"amd64", "arm32", "arm64", "x86"},
}
# The names of the same processors on other systems.
_SAME = ({"x86_64", "amd64", "x64"}, {"aarch64", "arm64"}, {"i686", "i386", "x86"})
# Of glibc before version 3, in packaging/_manylinux.py; no macOS and no musl is near it either.
_LAST_MINOR = 50
_LAST_MACOS = 99
# sysconfig.get_platform on systems for which the runtime has no wheels.
_OTHER_SYSTEMS = re.compile(
    r"(aix|android|cygwin|dragonfly|emscripten|freebsd|gnu|haiku|hp_ux|ios|mingw|msys|netbsd|openbsd|pyemscripten|pyodide"
    r"|solaris|sunos|wasi)_\w+"
)
_ANY_PYTHON = re.compile(r"py\d+")
_CPYTHON = re.compile(r"cp[23]\d+")
_OF_CPYTHON = re.compile(r"(cp[23]\d+)[dmtu]*")
_STABLE = {"abi3", "abi3t"}


def tag_faults(tag: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a compatibility tag that no installer accepts, and why.

    >>> list(tag_faults("py3-none-manylinux_2_17_x86_64.macosx_11_0_arm64"))
    []
    >>> list(tag_faults("py3-abi3-any"))
    [('py3-abi3', 'the ABI tag of py3 must be none')]
    """
    pythons, abis, platforms = (part.split(".") for part in tag.lower().split("-"))
    faults = {(python, abi): _python_fault(python, abi) for python, abi in product(pythons, abis)}
    # Of "cp39.cp310-cp39.cp310" not each pair need be good, but each of the tags is to be good for something.
    for (python, abi), fault in faults.items():
        others = (
            [faults[pair] for pair in faults if python == pair[0]],
            [faults[pair] for pair in faults if abi == pair[1]],
        )
        if any(map(all, others)):
            yield f"{python}-{abi}", fault
    for platform in platforms:
        fault = platform_fault(platform)
        if fault:
            yield platform, fault


def platform_fault(text: str) -> str:
    """Return why no installer accepts a platform tag; empty if one does.

    >>> platform_fault("manylinux_2_28_x86_64"), platform_fault("any"), platform_fault("ios_13_0_arm64_iphoneos")
    ('', '', '')
    >>> platform_fault("macosx_13_3_arm64")
    'from macOS 11 on the second number is 0'
    >>> platform_fault("win_x86_64")
    'its architecture is amd64 there, not x86_64'
    """
    tag, family = PlatformTag.parse(text), family_of(text)
    if tag is not None:
        return _architecture_fault(tag) or _version_fault(tag)
    if family is not None:
        return f"such a tag has the form of {_EXAMPLES[family]}"
    return "" if text.lower() == "any" or is_other_system(text) else "no system has this name"


def is_other_system(text: str) -> bool:
    """Say whether a platform tag is for a system that the runtime has no wheels for."""
    return bool(_OTHER_SYSTEMS.fullmatch(text.lower()))


def _architecture_fault(tag: PlatformTag) -> str:
    known = _ARCHITECTURES[tag.family]
    if tag.architecture in known:
        return ""
    same = next((known & names for names in _SAME if tag.architecture in names), set())
    if same:
        return f"its architecture is {max(same)} there, not {tag.architecture}"
    return f"it has no architecture that is called {tag.architecture}"


def _version_fault(tag: PlatformTag) -> str:
    if tag.version is None:
        return ""
    major, minor = tag.version
    if tag.family == "macosx":
        return _macos_fault(major, minor, tag.architecture)
    if minor > _LAST_MINOR or major != (2 if tag.family == "manylinux" else 1):
        return f"unknown version: {'glibc' if tag.family == 'manylinux' else 'musl'} {major}.{minor}"
    oldest = 5 if tag.architecture in _X86 else 17
    if tag.family == "manylinux" and minor < oldest:
        return f"installers look for glibc 2.{oldest} and newer on {tag.architecture}"
    return ""


def _macos_fault(major: int, minor: int, architecture: str) -> str:
    if not 10 <= major <= _LAST_MACOS or (major == 10 and minor > 16):
        return f"unknown version: macOS {major}.{minor}"
    if major > 10 and minor:
        return "from macOS 11 on the second number is 0"
    if major == 10 and architecture == "arm64":
        return "the first macOS on arm64 is 11.0"
    return ""


def _python_fault(python: str, abi: str) -> str:
    """Return why no installer accepts a Python tag with an ABI tag; of other implementations little is known."""
    if not re.fullmatch(r"[a-z_]+\d\w*", python):
        return f"no Python is called {python}"
    is_cpython = python.startswith("cp")
    if is_cpython and not _CPYTHON.fullmatch(python):
        return "the tag of CPython has its minor version, as cp312"
    if abi != "none" and _ANY_PYTHON.fullmatch(python):
        return f"the ABI tag of {python} must be none"
    found = _OF_CPYTHON.fullmatch(abi)
    is_of_cpython = abi in _STABLE or found is not None
    fits = abi == "none" or (is_cpython == is_of_cpython and (found is None or found[1] == python))
    return "" if fits else f"{abi} is not an ABI of {python}"
