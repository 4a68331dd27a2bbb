"""Rules on whether a platform tag is true of the libraries in a wheel, and of the runtime that they need."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from ...binaries.signature import signature_problem
from ...contract.minimum_platform import runtime_floor
from ...external_libraries.manylinux import read_policies
from ...platforms.systems import LINUX, MACOS, macos_of_tag
from ..findings import ERROR, WARNING, Problem, library_rule, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...binaries import Image
    from ...external_libraries.manylinux import Policy
    from ...wheels.libraries import Contents
    from ..subject import Subject

__all__ = ["RULES"]

# A platform tag: system, version if it has one, architecture.
_TAG = re.compile(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_(\w+)|(manylinux[12]\d{0,3}|linux|win)_(\w+)|(win)32")
_FORMATS = {"manylinux": "ELF", "musllinux": "ELF", "linux": "ELF", "macosx": "Mach-O", "win": "PE"}
_UNIVERSAL = {"universal2": {"x86_64", "arm64"}}
_WINDOWS = {"x86": "win32"}
# The first macOS for Apple's own processors: what a lower tag says is of the other half alone.
_FIRST = {"arm64": (11, 0)}
_REPAIR = "let the tag be worked out: tvm-ffi-build repair"


@wheel_rule("P301", "the tag is lower than a library needs", ERROR)
def too_low(subject: Subject, contents: Contents) -> Iterator[Problem]:
    """Look for libraries that need a newer system than the lowest that the tag names."""
    # musllinux counts the versions of another C library, whose symbols have none.
    lowest = _lowest(tag for tag in contents.wheel.platforms if not tag.startswith("musllinux"))
    for name, image in subject.images():
        held_back: tuple[str, ...] = ()
        version = lowest.get(image.architecture)
        if subject.platform == LINUX and version:
            held_back = _missing(image, version)
        elif subject.platform == MACOS and version and macos_of_tag(image.minimum_os) > version:
            held_back = (f"built for macOS {image.minimum_os}",)
        if held_back:
            yield Problem(
                f"{name} needs a newer system than {contents.wheel.platforms[0]} says",
                f"{_REPAIR}, or build on an older system (MACOSX_DEPLOYMENT_TARGET, an image of the policy)",
                name,
                held_back,
            )


@wheel_rule("P302", "the tag is lower than the runtime's", WARNING)
def below_the_runtime(_: Subject, contents: Contents) -> Iterator[Problem]:
    """Look for tags of systems that no release of the runtime that the wheel admits has a wheel for."""
    wheel = contents.wheel
    tags = {
        system: [tag for tag in wheel.platforms if _family(tag) == system] for system in map(_family, wheel.platforms)
    }
    found = [(system, *one) for system, own in tags.items() for one in sorted(_lowest(own).items())]
    for system, part, version in found:
        family = _WINDOWS.get(part, f"win_{part}") if system == "win" else f"{system}_*_{part}"
        floor = runtime_floor(wheel.runtime_bounds(), family)
        if floor.version is None or version < floor.version:
            below = "" if floor.version is None else f" below {'.'.join(map(str, floor.version))}"
            yield Problem(
                f"{floor.requirement}, which the wheel needs, has no wheels for {family.replace('_*_', ' on ')}{below}",
                _REPAIR if floor.version else "build no wheel for this platform: its users would have to build both",
                evidence=wheel.platforms,
            )


@wheel_rule("P303", "the tag is for one machine alone", WARNING)
def one_machine(_: Subject, contents: Contents) -> Iterator[Problem]:
    """Look for ``linux_...`` tags, which indexes do not take."""
    found = tuple(tag for tag in contents.wheel.platforms if tag.startswith("linux_"))
    if found:
        yield Problem(
            f"the wheel is tagged {found[0]}, which no index takes since it says nothing of the system it needs",
            "run: tvm-ffi-build repair",
            evidence=found,
        )


@wheel_rule("P304", "a library is for another platform", ERROR)
def other_platform(subject: Subject, contents: Contents) -> Iterator[Problem]:
    """Look for libraries of another format or architecture than the tag says."""
    formats, wanted = set(), set()
    for tag in contents.wheel.platforms:
        match = _TAG.fullmatch(tag)
        if match:
            formats.add(_FORMATS[_family(tag)])
            wanted.add(match[4] or match[6] or "x86")
    for name, binary in subject.others():
        held = {image.architecture for image in binary.images}
        fits = binary.format in formats and any(_UNIVERSAL.get(one, {one}) <= held for one in wanted)
        if wanted and not fits:
            yield Problem(
                f"{name} is {binary.format} for {', '.join(sorted(held))}, and the wheel is tagged "
                f"{'.'.join(contents.wheel.platforms)}",
                "build each platform's wheel of its own, with the libraries of that platform",
                name,
                tuple(sorted(held)),
            )


@wheel_rule("P305", "a library in a wheel for every platform", ERROR)
def any_platform(subject: Subject, contents: Contents) -> Iterator[Problem]:
    """Look for libraries where the tag says ``any``."""
    if contents.wheel.platforms == ("any",):
        yield Problem(
            "the wheel is tagged for every platform, and holds libraries of one",
            "write wheel.platlib = true in [tool.scikit-build]",
            evidence=tuple(subject.binaries),
        )


@wheel_rule("P306", "the wheel is marked as pure", ERROR)
def marked_pure(subject: Subject, contents: Contents) -> Iterator[Problem]:
    """Look for ``Root-Is-Purelib: true``: where pure packages have a folder of their own, the runtime is elsewhere."""
    if contents.wheel.headers("WHEEL").first("Root-Is-Purelib").lower() == "true" and not _is_any(contents):
        yield Problem(
            "WHEEL says Root-Is-Purelib: true, so that some systems install the libraries apart from the runtime",
            "write wheel.platlib = true in [tool.scikit-build]",
            f"{contents.wheel.dist_info}WHEEL",
            tuple(subject.binaries),
        )


@library_rule("P307", "a library needs a newer processor than a tag can say", ERROR)
def processor(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that are marked to need more than the first level of x86-64."""
    for name, image in subject.images():
        if image.level > 1:
            yield Problem(
                f"{name} is not loaded below x86-64-v{image.level}, which no tag can say",
                "build it without -march, and choose fast paths at run time",
                name,
                (f"x86-64-v{image.level}",),
            )


@library_rule("P308", "a signature does not fit the library", ERROR)
def signature(subject: Subject) -> Iterator[Problem]:
    """Look for missing and stale code signatures, with which macOS ends the process that loads the library."""
    for name, binary in subject.others():
        problem = signature_problem(subject.paths[name]) if binary.format == "Mach-O" else None
        if problem:
            yield Problem(
                f"macOS does not load {name}: {problem}",
                "sign it after the last change: codesign -f -s - LIBRARY",
                name,
                (problem,),
            )


def _is_any(contents: Contents) -> bool:
    return contents.wheel.platforms == ("any",)


def _family(tag: str) -> str:
    """Return the system of a platform tag."""
    match = _TAG.fullmatch(tag)
    system = (match[1] or match[5] or match[7]) if match else ""
    return "manylinux" if system.startswith("manylinux") else system


def _lowest(tags: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return the lowest version that platform tags name, for each architecture."""
    found: dict[str, tuple[int, int]] = {}
    for architecture, version in chain.from_iterable(map(_versions, tags)):
        found[architecture] = min(found.get(architecture, version), version)
    return found


def _versions(tag: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield what a platform tag says of each architecture that it is for; ``linux`` says nothing, ``win`` zero."""
    match = _TAG.fullmatch(tag)
    if match is None:
        return
    if match[1]:
        version = int(match[2]), int(match[3])
        halves = _UNIVERSAL.get(match[4])
        for part in halves or {match[4]}:
            yield part, max(version, _FIRST.get(part, version)) if halves else version
    elif match[5] and match[5].startswith("manylinux"):
        aliases = {alias: policy.version for policy in read_policies(match[6]) for alias in policy.aliases}
        if match[5] in aliases:
            yield match[6], aliases[match[5]]
    elif match[5] == "win" or match[7]:
        yield match[6] or "x86", (0, 0)


def _missing(image: Image, version: tuple[int, int]) -> tuple[str, ...]:
    """Return what a library needs that a system with some glibc need not have."""
    policy = _policy(image.architecture, version)
    if policy is None:
        return ()
    found = {symbol.version: symbol.name for symbol in image.imports if symbol.version}
    wanted = dict.fromkeys((version for _, version in image.versions), "") | found
    return tuple(
        sorted(f"{name} ({one})" if name else one for one, name in wanted.items() if not policy.has_version(one))
    )


def _policy(architecture: str, version: tuple[int, int]) -> Policy | None:
    """Return the policy for a glibc, or for the newest that is older: what that has, the other has too.

    For a glibc that is older than all of them it is the oldest: what that has not, the other has not either.
    """
    policies = read_policies(architecture)
    older = [policy for policy in policies if policy.version <= version]
    return older[-1] if older else next(iter(policies), None)


RULES = (too_low, below_the_runtime, one_machine, other_platform, any_platform, marked_pure, processor, signature)
