"""Rules on whether a library finds what it needs, where it is installed."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from ...binaries.python_calls import is_python_library
from ...external_libraries.manylinux import read_policies
from ...external_libraries.presets import find_provider, is_named
from ...external_libraries.windows_dlls import has_windows, is_redistributable
from ...platforms.systems import FORMATS, LINUX, MACOS, WINDOWS, base_name, is_musl_library
from ...platforms.tags import family_of
from ...wheels.install_places import PACKAGES, place_of, resolve_place
from ..dll_search import DllSearch
from ..findings import ERROR, WARNING, Problem, library_rule, wheel_rule
from ..resolved_libraries import find_reachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...binaries import Image
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES", "has_system", "is_external", "list_searched", "list_users"]

_HERE = re.compile(r"^(\$ORIGIN|\$\{ORIGIN\}|@loader_path)(?=/|$)")
_WHERE_THE_RUNTIME_IS = "tvm_ffi/lib"
_CONFIGURE = (
    "configure it with the tvm_ffi_configure_target of tvm-ffi-build and install it with its tvm_ffi_install, with one "
    "DESTINATION"
)


@library_rule("P351", "the rpath has directories of one machine", WARNING)
def absolute_run_path(subject: Subject) -> Iterator[Problem]:
    """Look for run paths that begin at the root of a file system."""
    for name, image in subject.images():
        found = tuple(path for path in image.run_paths if path.startswith("/"))
        if found:
            yield Problem(
                f"{name} looks for libraries in {found[0]}, which is a directory of the build machine",
                "leave CMAKE_INSTALL_RPATH to tvm_ffi_install, or remove it: patchelf --set-rpath, install_name_tool",
                name,
                found,
            )


@library_rule("P352", "no rpath to the runtime", WARNING)
def no_run_path(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that need the runtime and are not led to where apache-tvm-ffi has it."""
    if subject.platform == WINDOWS:
        return
    for name, image in subject.images():
        if any(map(subject.platform.is_runtime, image.libraries)) and not any(
            _leads_to_runtime(path, name, is_installed=subject.contents is not None) for path in image.run_paths
        ):
            yield Problem(
                f"{name} has no rpath to the runtime, so it cannot be loaded before tvm_ffi is imported",
                _CONFIGURE,
                name,
                image.run_paths,
            )


@wheel_rule("P353", "a needed library is missing", ERROR)
def nowhere(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that are needed, and neither in the wheel nor in the system, nor known to come from others."""
    users_of = list_users(subject)
    is_for_musl = all(family_of(tag) == "musllinux" for tag in contents.wheel.platforms)  # of which P302 tells
    for needed, users in contents.needed().items():
        if is_musl_library(needed) and is_for_musl:
            continue
        provider = find_provider(needed)
        if (
            provider
            and not provider.is_optional
            and (not provider.distributions or contents.wheel.requires_one_of(provider.distributions))
        ):
            continue
        for name, image in subject.images():
            # P304 tells of libraries of another system, to which nothing of this one applies.
            is_foreign = FORMATS[subject.binaries[name].format] != subject.platform
            if (
                name in users
                and not is_foreign
                and not has_system(subject, image, needed)
                and not is_external(subject, needed)
                and not subject.optional_libraries.issuperset(_find_roots(subject, name, users_of))
            ):
                yield Problem(
                    f"{name} needs {needed}, which is neither in the wheel nor in every system",
                    f"{_remedy(contents, needed)}; if users have it from elsewhere, name it in external of "
                    "[tool.tvm-ffi-build.audit]",
                    name,
                    (needed, *_conditional(contents, needed)),
                )


def _remedy(contents: WheelLibraries, needed: str) -> str:
    if is_musl_library(needed):
        return "build it on a Linux with glibc, which the runtime's wheels are for"
    conditional = _conditional(contents, needed)
    if conditional:
        return f"require {conditional[0].partition(';')[0].strip()} without a marker"
    provider = find_provider(needed)
    if provider and provider.distributions:
        return f"require {provider.distributions[0]}, which brings it"
    return "copy it into the wheel: tvm-ffi-build repair"


def _conditional(contents: WheelLibraries, needed: str) -> tuple[str, ...]:
    """Return what the wheel requires that brings a library, but not wherever it is installed."""
    provider = find_provider(needed)
    return tuple(map(str, contents.wheel.mentions(provider.distributions))) if provider else ()


@library_rule("P354", "Visual C++'s libraries are needed", WARNING)
def redistributable(subject: Subject) -> Iterator[Problem]:
    """Look for DLLs of Visual C++ that neither Python nor the wheel brings along."""
    own = subject.contents.own() if subject.contents is not None else set()
    for name, image in subject.images():
        # These come with CPython's installer; the runtime does not bring its own.
        found = tuple(
            one
            for one in image.libraries
            if is_redistributable(one) and not base_name(one).startswith("vcruntime140") and base_name(one) not in own
        )
        if found and subject.platform == WINDOWS:
            yield Problem(
                f"{name} needs {', '.join(found)}, which Windows has only with the Visual C++ Redistributable",
                "document it, because the runtime needs it as well; or link the C++ library into yours: "
                "CMAKE_MSVC_RUNTIME_LIBRARY=MultiThreaded",
                name,
                found,
            )


@wheel_rule("P355", "a library in the wheel is not found", WARNING)
def not_found(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that came into the wheel for another one, from which nothing leads to them.

    What is loaded already is found all the same, and what a package loads first cannot be read off it.
    """
    yield from (_not_beside if subject.platform == WINDOWS else _not_reached)(subject, contents)


def _not_beside(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    search = DllSearch(contents.wheel, subject.binaries)
    for name in search.list_roots(name for name, _ in subject.users()):
        for user, needed, place in search.not_found(name):
            directory = posixpath.dirname(place)
            is_beside = posixpath.dirname(place_of(place)) == posixpath.dirname(place_of(name))
            remedy = "load the library by ctypes.CDLL before, as the loader that stubgen writes does"
            if not is_beside:
                by_hand = f"call os.add_dll_directory with {directory} and {remedy}"
                remedy = f"put it into the directory of the library, or {by_hand}"
            yield Problem(
                f"{user} needs {needed} of this wheel, which tvm_ffi.load_module does not look for"
                f"{'' if is_beside else f' in {directory}'}",
                remedy,
                name,
                (needed,),
            )


def _not_reached(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    outside = contents.needed()
    files = set(map(place_of, subject.binaries))
    users = list_users(subject)
    for name, image in subject.images():
        folders = list_searched(subject, name, users)
        found = tuple(
            needed
            for needed in image.libraries
            if needed not in outside
            and not needed.startswith("@loader_path/")  # which is inside where it says
            # On macOS, run paths are for those that ask for them.
            and not (
                (subject.platform == LINUX or needed.startswith("@rpath/"))
                and any(posixpath.normpath(f"{one}/{needed.removeprefix('@rpath/')}") in files for one in folders)
            )
            and not (has_system(subject, image, needed) or is_external(subject, needed))
        )
        if found:
            yield Problem(
                f"{name} has no rpath to {found[0]} of this wheel, so it cannot be loaded before that",
                "set INSTALL_RPATH of its target to the directory of that library ($ORIGIN or @loader_path for the "
                "same one), and check its name",
                name,
                found,
            )


def list_users(subject: Subject) -> dict[str, list[str]]:
    """Return which libraries need one of some name, by the last part of it."""
    users: dict[str, list[str]] = defaultdict(list)
    for name, binary in subject.binaries.items():
        for needed in binary.libraries:
            users[base_name(needed)].append(name)
    return users


def _leads_to_runtime(path: str, library: str, *, is_installed: bool) -> bool:
    if is_installed:
        return _destination(path, library) == f"{PACKAGES}/{_WHERE_THE_RUNTIME_IS}"
    match = _HERE.match(path)
    # Nobody knows where it will be.
    return match is not None and posixpath.normpath(path[match.end() :]).endswith(_WHERE_THE_RUNTIME_IS)


def _destination(path: str, library: str) -> str | None:
    """Return the directory that a run path of a library leads to, as :func:`place_of`; None if it begins elsewhere."""
    match = _HERE.match(path)
    if match is None:
        return None
    return resolve_place(posixpath.dirname(place_of(library)), path[match.end() :])


def list_searched(subject: Subject, library: str, users: Mapping[str, list[str]]) -> set[str]:
    """Return the folders in which a library's needs are looked for: by its run paths, and by those of what loads it.

    The latter count on macOS, and on Linux as RPATH, which auditwheel writes.
    """
    loading = _find_users(subject, library, users)
    paths = ((path, name) for name in loading for image in subject.binaries[name].images for path in image.run_paths)
    return {folder for path, name in paths if (folder := _destination(path, name)) is not None}


def _find_users(subject: Subject, library: str, users: Mapping[str, list[str]]) -> frozenset[str]:
    """Return a library and what it is loaded with: those that need it, near and far."""
    return find_reachable(
        [library], lambda name: (user for one in _names(subject, name) for user in users.get(one, ()))
    )


def _find_roots(subject: Subject, library: str, users: Mapping[str, list[str]]) -> frozenset[str]:
    """Return what code has to load so that a library is: those of it and its users that no other library needs."""
    found = _find_users(subject, library, users)
    roots = frozenset(
        name for name in found if not any(set(users.get(one, ())) - {name} for one in _names(subject, name))
    )
    return roots or found  # in a circle each is needed by another one


def _names(subject: Subject, library: str) -> set[str]:
    return {base_name(library), *(base_name(image.name) for image in subject.binaries[library].images if image.name)}


def has_system(subject: Subject, image: Image, needed: str) -> bool:
    """Say whether every system that a wheel is for has a library, or the runtime brings it."""
    if subject.platform.is_runtime(needed) or is_python_library(needed):
        return True  # other rules look at these
    if subject.platform == MACOS:
        return MACOS.has(needed)
    if subject.platform == LINUX:
        policies = read_policies(image.architecture)
        return not policies or any(policy.has_library(needed) for policy in policies)
    return is_redistributable(needed) or has_windows(needed, image.architecture)


def is_external(subject: Subject, needed: str) -> bool:
    """Say whether users have a library from elsewhere, as the project has set."""
    return any(is_named(needed, glob) for glob in subject.settings.external)


RULES = (absolute_run_path, no_run_path, nowhere, redistributable, not_found)
