"""Environment markers of requirements (PEP 508), evaluated for the systems of a wheel and not for this machine."""

from __future__ import annotations

import re
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from packaging.markers import default_environment
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..platforms.tags import PlatformTag
from ..runtime import is_runtime_distribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.requirements import Requirement

__all__ = [
    "SUPPORTED_PYTHONS",
    "applies_in",
    "list_environments",
    "runtime_bounds",
    "runtime_requirements",
    "this_environment",
]

# The minor versions of Python 3 that the runtime and this package support.
SUPPORTED_PYTHONS = range(9, 16)
# The first and a late patch release, for markers and Requires-Python that name a patch release.
_PATCHES = (0, 99)
_PYTHON_TAG = re.compile(r"(cp|pp|py)3(\d{0,3})")
# What platform.machine() returns, by the architecture of a tag; a 32-bit Python may also run on a 64-bit Windows.
_WINDOWS_MACHINES = {"x86": ("x86", "AMD64"), "amd64": ("AMD64",), "arm64": ("ARM64",)}
_LINUX, _MACOS, _WINDOWS = ("posix", "linux", "Linux"), ("posix", "darwin", "Darwin"), ("nt", "win32", "Windows")
# A wheel for any platform is installed on at least these.
_EVERYWHERE = (
    *((_LINUX, machine) for machine in ("x86_64", "aarch64")),
    *((_MACOS, machine) for machine in ("x86_64", "arm64")),
    *((_WINDOWS, machine) for machine in ("AMD64", "ARM64")),
)


def list_environments(tag: str, requires_python: str = "") -> list[dict[str, str]]:
    """Return the marker environments in which a plain install, without extras, may choose a wheel.

    Args:
        tag: The compatibility tag, such as ``py3-none-manylinux_2_28_x86_64``.
        requires_python: The field ``Requires-Python``.

    """
    pythons, abis, platforms = tag.split("-")
    minors = _minor_versions(pythons.split("."), abis.split("."))
    versions = [f"3.{minor}.{patch}" for minor in minors for patch in _PATCHES]
    try:
        wanted = SpecifierSet(requires_python)
    except InvalidSpecifier:
        wanted = SpecifierSet()
    versions = list(wanted.filter(versions)) or versions
    machines = dict.fromkeys(found for platform in platforms.split(".") for found in _list_machines(platform))
    return [
        _make_environment(system, machine, implementation, version)
        for implementation in _list_implementations(pythons.split("."))
        for system, machine in machines
        for version in versions
    ]


def this_environment() -> dict[str, str]:
    """Return the marker environment of a plain install into this Python, in which ``extra`` is empty."""
    return {**{name: str(value) for name, value in default_environment().items()}, "extra": ""}


def applies_in(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Say whether an installer follows a requirement in an environment."""
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate(dict(environment))
    except (KeyError, RecursionError, ValueError):
        # The marker compares what cannot be compared, or asks for a variable that PEP 508 does not have.
        return False


def runtime_requirements(requirements: Iterable[Requirement], found: Iterable[Mapping[str, str]]) -> list[Requirement]:
    """Return the requirements of the runtime that apply in at least one environment."""
    found = list(found)
    return [
        requirement
        for requirement in requirements
        if is_runtime_distribution(requirement.name) and any(applies_in(requirement, one) for one in found)
    ]


def runtime_bounds(requirements: Iterable[Requirement], environment: Mapping[str, str]) -> SpecifierSet | None:
    """Return the releases of the runtime that requirements allow in an environment; None if they do not require it."""
    found = [requirement.specifier for requirement in runtime_requirements(requirements, [environment])]
    return reduce(and_, found, SpecifierSet()) if found else None


def _minor_versions(pythons: list[str], abis: list[str]) -> list[int]:
    """Return the minor versions of Python 3 that tags are for; every supported one where the tags name none of them."""
    found: set[int] = set()
    for match in filter(None, map(_PYTHON_TAG.fullmatch, pythons)):
        if not match[2]:
            found.update(SUPPORTED_PYTHONS)
        elif match[1] == "py" or any(abi.startswith("abi3") for abi in abis):
            found.update(minor for minor in SUPPORTED_PYTHONS if minor >= int(match[2]))
        else:
            found.add(int(match[2]))
    return sorted(found) or list(SUPPORTED_PYTHONS)


def _list_implementations(pythons: list[str]) -> list[tuple[str, str]]:
    """Return the names of the Pythons that tags are for; the runtime has wheels for CPython only, so py3 means that."""
    found = [("pypy", "PyPy")] if any(python.startswith("pp") for python in pythons) else []
    return found if all(python.startswith("pp") for python in pythons) else [("cpython", "CPython"), *found]


def _list_machines(platform: str) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield the systems, with the machine of each, that a platform tag is for."""
    tag = PlatformTag.parse(platform)
    if tag is None:
        yield from _EVERYWHERE
    elif tag.family == "windows":
        machines = _WINDOWS_MACHINES.get(tag.architecture, (tag.architecture,))
        yield from ((_WINDOWS, machine) for machine in machines)
    else:
        yield from ((_MACOS if part.family == "macosx" else _LINUX, part.architecture) for part in tag.slices())


def _make_environment(
    system: tuple[str, str, str], machine: str, implementation: tuple[str, str], version: str
) -> dict[str, str]:
    return {
        "extra": "",
        "implementation_name": implementation[0],
        "implementation_version": version,
        "os_name": system[0],
        "platform_machine": machine,
        "platform_python_implementation": implementation[1],
        "platform_release": "",
        "platform_system": system[2],
        "platform_version": "",
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": system[1],
    }
