"""Rules on whether a platform tag is true of the libraries in a wheel, and of the runtime that they need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...binaries.signature import signature_problem
from ...contract.minimum_platform import find_floor
from ...external_libraries.manylinux import read_policies
from ...platforms.systems import LINUX, MACOS, is_musl_library, macos_of_tag
from ...platforms.tags import PlatformTag, family_of, fill_version, parse_tags, system_of, tag_pattern
from ...wheels.accepted_tags import is_other_system, tag_faults
from ...wheels.foreign_libraries import system_fault
from ..findings import ERROR, WARNING, Problem, library_rule, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...binaries import Binary, Image
    from ...external_libraries.manylinux import Policy
    from ...platforms.systems import Platform
    from ...platforms.tags import Family
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

_REPAIR = "let the tag be worked out: tvm-ffi-build repair"
# glibc, and the dynamic linker that comes with it.
_GLIBC = re.compile(r"libc\.so\.6(\.\d+)?$|ld-linux|ld64\.so\.")


@wheel_rule("P301", "the tag is lower than a library needs", ERROR)
def too_low(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that need a newer system than the lowest that the tag names."""
    # A musllinux tag counts the versions of musl, whose symbols have no versions.
    families: dict[Platform, Family] = {LINUX: "manylinux", MACOS: "macosx"}
    wanted = families.get(subject.platform)
    lowest = {part: version for (family, part), version in _lowest(contents.wheel.platforms) if family == wanted}
    for name, image in subject.images():
        held_back: tuple[str, ...] = ()
        version = lowest.get(image.architecture)
        if subject.platform == LINUX and version:
            held_back = _missing(image, version)
        elif subject.platform == MACOS and version and macos_of_tag(image.minimum_os) > version:
            held_back = (f"built for macOS {image.minimum_os}",)
        if held_back and wanted:
            tag = fill_version(tag_pattern(wanted, image.architecture), version)
            yield Problem(
                f"{name} needs a newer system than the tag {tag} says",
                f"{_REPAIR}, or build on an older system (MACOSX_DEPLOYMENT_TARGET, an image of the policy)",
                name,
                held_back,
            )


@wheel_rule("P302", "the tag is lower than the runtime's", WARNING)
def below_the_runtime(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for tags of systems that no release of the runtime that the wheel admits has a wheel for."""
    wheel = contents.wheel
    promised = [(tag_pattern(family, part), version) for (family, part), version in _lowest(wheel.platforms)]
    for pattern, version in (*promised, *((text, (0, 0)) for text in wheel.platforms if is_other_system(text))):
        floor = find_floor(wheel.runtime_bounds(), pattern)
        if floor.version is None or version < floor.version:
            below = "" if floor.version is None else f" below {'.'.join(map(str, floor.version))}"
            platform = pattern.replace("_*_", " on ")
            yield Problem(
                f"{floor.requirement}, which the wheel needs, has no wheels for {platform}{below}",
                _REPAIR if floor.version else "build no wheel for this platform: its users would have to build both",
                evidence=wheel.platforms,
            )


@wheel_rule("P303", "PyPI rejects the tag", WARNING)
def one_machine(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for ``linux_...`` tags, which indexes do not take."""
    found = tuple(str(tag) for tag in parse_tags(contents.wheel.platforms) if tag.family == "linux")
    if found:
        yield Problem(
            f"the wheel is tagged {found[0]}, which PyPI rejects because it names no oldest system",
            "run: tvm-ffi-build repair",
            evidence=found,
        )


@wheel_rule("P304", "a library is for another platform", ERROR)
def other_platform(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that are not what each of the platform tags says: an installer may go by any of them."""
    for name, binary in subject.others():
        faults = {text: fault for text in contents.wheel.platforms if (fault := _misfit(binary, text))}
        for text, fault in list(faults.items())[:1]:
            yield Problem(
                f"{name} does not work on {text}: {fault}",
                "build a wheel for each platform, with the libraries of that platform",
                name,
                tuple(f"{tag}: {why}" for tag, why in faults.items()) if len(faults) > 1 else _held(binary),
            )


@wheel_rule("P305", "a library in a wheel for every platform", ERROR)
def any_platform(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries where the tag says ``any``."""
    if _is_any(contents):
        yield Problem(
            "the wheel is tagged for every platform, and holds libraries of one",
            "write wheel.platlib = true in [tool.scikit-build]",
            evidence=tuple(subject.binaries),
        )


@wheel_rule("P306", "the wheel is marked as pure", ERROR)
def marked_pure(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for ``Root-Is-Purelib: true``: where pure packages have a folder of their own, the runtime is elsewhere."""
    if contents.wheel.headers("WHEEL").first("Root-Is-Purelib").lower() == "true" and not _is_any(contents):
        yield Problem(
            "WHEEL says Root-Is-Purelib: true, so that some systems install the libraries apart from the runtime",
            "write wheel.platlib = true in [tool.scikit-build]",
            f"{contents.wheel.dist_info}WHEEL",
            tuple(subject.binaries),
        )


@library_rule("P307", "a library needs a newer processor than its tag promises", ERROR)
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


@library_rule("P308", "an invalid code signature", ERROR)
def signature(subject: Subject) -> Iterator[Problem]:
    """Look for missing and stale code signatures, with which macOS ends the process that loads the library."""
    for name, binary in subject.others():
        problem = signature_problem(subject.paths[name], binary) if binary.format == "Mach-O" else None
        if problem:
            yield Problem(
                f"macOS does not load {name}: {problem}",
                "sign it after the last change: codesign -f -s - LIBRARY",
                name,
                (problem,),
            )


@wheel_rule("P309", "no installer accepts the tag", ERROR)
def not_accepted(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for tags that no installer tries on any machine, so that they promise nothing."""
    for part, fault in tag_faults(contents.wheel.tag):
        yield Problem(
            f"no installer accepts the tag {part}: {fault}",
            _REPAIR if family_of(part) else "build the wheel again, or change its tags: python -m wheel tags",
            evidence=(contents.wheel.tag,),
        )


def _held(binary: Binary) -> tuple[str, ...]:
    return (binary.format, *sorted({image.architecture for image in binary.images}))


def _misfit(binary: Binary, text: str) -> str:
    """Return why a library cannot be loaded where a platform tag is accepted; empty if it can, as far as is known."""
    system = system_of(text)
    if system is None:
        return ""
    fault = system_fault(binary, system)
    if fault:
        return fault
    tag = PlatformTag.parse(text)
    held = {image.architecture for image in binary.images}
    wanted = {part.architecture for part in tag.slices()} if tag else set()
    if not wanted <= held:
        return f"it is for {' and '.join(sorted(held))}, not {' and '.join(sorted(wanted))}"
    if family_of(text) == "musllinux" and any(map(_needs_glibc, binary.images)):
        return "it needs glibc, not musl"
    return ""


def _needs_glibc(image: Image) -> bool:
    return any(map(_GLIBC.match, image.libraries)) and not any(map(is_musl_library, image.libraries))


def _is_any(contents: WheelLibraries) -> bool:
    return "any" in contents.wheel.platforms


def _lowest(texts: Iterable[str]) -> list[tuple[tuple[Family, str], tuple[int, int]]]:
    """Return the lowest version that platform tags name for each family and architecture, sorted.

    A ``linux`` tag says nothing about the system, so it is left out. Windows tags have no version: zero.
    """
    found: dict[tuple[Family, str], tuple[int, int]] = {}
    for tag in parse_tags(texts):
        for part in tag.slices() if tag.family != "linux" else ():
            key, version = (part.family, part.architecture), part.version or (0, 0)
            found[key] = min(found.get(key, version), version)
    return sorted(found.items())


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


RULES = (
    too_low,
    below_the_runtime,
    one_machine,
    other_platform,
    any_platform,
    marked_pure,
    processor,
    signature,
    not_accepted,
)
