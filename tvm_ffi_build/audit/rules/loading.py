"""Rules on whether a library finds what it needs, where it is installed."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from ...binaries.python_calls import is_python_library
from ...binaries.runtime_calls import is_runtime_symbol
from ...external_libraries.manylinux import read_policies
from ...external_libraries.presets import find_provider, is_named
from ...external_libraries.windows_dlls import has_windows, is_redistributable
from ...platforms.systems import LINUX, MACOS, WINDOWS, base_name, is_musl_library
from ...platforms.tags import family_of
from ...wheels.libraries import installed
from ..findings import ERROR, WARNING, Problem, library_rule, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...binaries import Image
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

# How run paths begin that lead from the library, or from the program that loads it.
_RELATIVE = ("$ORIGIN", "${ORIGIN}", "@loader_path", "@executable_path", "@rpath")
_HERE = re.compile(r"^(\$ORIGIN|\$\{ORIGIN\}|@loader_path)(?=/|$)")
# Of glibc and GCC, in which each symbol has a version, so that a library which was linked to them asks for that.
_ALL_VERSIONED = re.compile(r"(lib(c|m|dl|pthread|rt|util|resolv|gcc_s|stdc\+\+)|ld-linux[\w-]*)\.so\.\d+")
# C++ symbols but those of the C++ library, which has not seen to all of them having a version.
_OWN = re.compile(r"_Z(?!(T\w)?N?[VK]*S|(T\w)?N\d+__|[nd][wal])")
_ELSEWHERE = re.compile(r"[^/]+\.data/")
_SCRIPTS = re.compile(r"[^/]+\.data/scripts/")
_PACKAGES = re.compile(r"lib(64)?/python3\.\d+t?/site-packages/")
_WHERE_THE_RUNTIME_IS = "tvm_ffi/lib"
_CONFIGURE = (
    "configure it with the tvm_ffi_configure_target of tvm-ffi-build and install it with its tvm_ffi_install, with one "
    "DESTINATION"
)


@library_rule("P351", "a run path of one machine", WARNING)
def absolute_run_path(subject: Subject) -> Iterator[Problem]:
    """Look for run paths that do not begin at the library."""
    for name, image in subject.images():
        found = tuple(path for path in image.run_paths if not path.startswith(_RELATIVE))
        if found:
            yield Problem(
                f"{name} looks for libraries in {found[0]}, which is a folder of the machine that built it",
                "leave CMAKE_INSTALL_RPATH to tvm_ffi_install, or remove it: patchelf --set-rpath, install_name_tool",
                name,
                found,
            )


@library_rule("P352", "no run path to the runtime", WARNING)
def no_run_path(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that need the runtime and are not led to where apache-tvm-ffi has it."""
    if subject.platform == WINDOWS:
        return
    for name, image in subject.images():
        if any(map(subject.platform.is_runtime, image.libraries)) and not any(
            _leads_to_runtime(path, name, is_installed=subject.contents is not None) for path in image.run_paths
        ):
            yield Problem(
                f"{name} has no run path to the runtime, so it cannot be loaded before tvm_ffi is imported",
                _CONFIGURE,
                name,
                image.run_paths,
            )


@wheel_rule("P353", "a library is needed that nobody has", ERROR)
def nowhere(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that are needed, and neither in the wheel nor in the system, nor known to come from others."""
    required = contents.wheel.required_names
    is_for_musl = all(family_of(tag) == "musllinux" for tag in contents.wheel.platforms)  # of which P302 tells
    for needed, users in contents.needed().items():
        is_musl = is_musl_library(needed)
        if is_musl and is_for_musl:
            continue
        provider = find_provider(needed)
        if provider and not required.isdisjoint(provider.distributions or required):
            continue
        for name, image in subject.images():
            if name in users and not _has_system(subject, image, needed) and not _is_external(subject, needed):
                remedy = "copy it into the wheel: tvm-ffi-build repair"
                if is_musl:
                    remedy = "build it on a Linux with glibc, which the runtime's wheels are for"
                elif provider and provider.distributions:
                    remedy = f"require {provider.distributions[0]}, which brings it"
                yield Problem(
                    f"{name} needs {needed}, which is neither in the wheel nor in every system",
                    f"{remedy}; if users have it from elsewhere, name it in external of [tool.tvm-ffi-build.audit]",
                    name,
                    (needed,),
                )


@library_rule("P354", "Visual C++'s libraries are needed", WARNING)
def redistributable(subject: Subject) -> Iterator[Problem]:
    """Look for DLLs of Visual C++ that Python does not bring along."""
    for name, image in subject.images():
        # These come with CPython's installer; the runtime does not bring its own.
        found = tuple(
            one for one in image.libraries if is_redistributable(one) and not base_name(one).startswith("vcruntime140")
        )
        if found and subject.platform == WINDOWS:
            yield Problem(
                f"{name} needs {', '.join(found)}, which Windows has from the Visual C++ Redistributable alone",
                "tell users, who need it for the runtime as well; or link the C++ library into yours: "
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
    if contents.loads_by_ctypes():
        return
    inside = {base_name(name) for name in subject.binaries}
    for name, binary in subject.users():
        found = tuple(one for one in binary.libraries if base_name(one) in inside)
        if found:
            yield Problem(
                f"{name} needs {found[0]} of this wheel, which tvm_ffi.load_module does not look for",
                "load the library by ctypes.CDLL before, as the loader that stubgen writes does",
                name,
                found,
            )


def _not_reached(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    outside = contents.needed()
    files = set(map(installed, subject.binaries))
    # Nobody knows where from here, such as <prefix>/lib.
    far = {base_name(name) for name in subject.binaries if _ELSEWHERE.match(installed(name))}
    users: dict[str, list[str]] = defaultdict(list)
    for name, binary in subject.binaries.items():
        for needed in binary.libraries:
            users[base_name(needed)].append(name)
    for name, image in subject.images():
        folders = _searched(subject, name, users)
        found = tuple(
            needed
            for needed in image.libraries
            if needed not in outside
            and base_name(needed) not in far
            and not needed.startswith("@loader_path/")  # which is inside where it says
            # On macOS, run paths are for those that ask for them.
            and not (
                (subject.platform == LINUX or needed.startswith("@rpath/"))
                and any(posixpath.normpath(f"{one}/{needed.removeprefix('@rpath/')}") in files for one in folders)
            )
            and not (_has_system(subject, image, needed) or _is_external(subject, needed))
        )
        if found:
            yield Problem(
                f"{name} has no run path to {found[0]} of this wheel, so it cannot be loaded before that",
                "set INSTALL_RPATH of its target to where that is ($ORIGIN or @loader_path for the same folder), and "
                "let that have the name that is asked for",
                name,
                found,
            )


@library_rule("P356", "a symbol is needed that nobody has", ERROR)
def nobodys(subject: Subject) -> Iterator[Problem]:
    """Look for C++ symbols that none of the libraries has which come with this one, if all of them are known.

    Linkers of macOS and Windows do not let such libraries pass; those of Linux have to be asked to stop at them. Of C
    symbols without a version many are glibc's, in a library that the process has loaded anyway.
    """
    if subject.platform != LINUX:
        return
    known = {symbol for binary in subject.binaries.values() for symbol in binary.exported}
    # Of which R206 tells.
    known |= {symbol for needs in subject.assessment.needs for symbol in needs.leaks}
    inside = {base_name(name) for name in subject.binaries}
    for name, image in subject.images():
        if not all(
            subject.platform.is_runtime(needed) or base_name(needed) in inside or _ALL_VERSIONED.fullmatch(needed)
            for needed in image.libraries
        ):
            continue
        found = sorted(
            symbol.name
            for symbol in image.imports
            if not (symbol.version or symbol.weak or symbol.name in known)
            and _OWN.match(symbol.name)
            and not is_runtime_symbol(symbol.name)  # of which R203 and R205 tell
        )
        if found:
            yield Problem(
                f"{name} needs {found[0]}, which no library has that it needs: its first use ends the process",
                "compile the source or link the library that defines it; if something else has loaded it before, "
                "ignore this rule for the file",
                name,
                tuple(found),
            )


def _leads_to_runtime(path: str, library: str, *, is_installed: bool) -> bool:
    if is_installed:
        return _destination(path, library) == _WHERE_THE_RUNTIME_IS
    match = _HERE.match(path)
    # Nobody knows where it will be.
    return match is not None and posixpath.normpath(path[match.end() :]).endswith(_WHERE_THE_RUNTIME_IS)


def _destination(path: str, library: str) -> str | None:
    """Return the folder that a run path of a library leads to, below that of packages; None if it begins elsewhere."""
    match = _HERE.match(path)
    if match is None:
        return None
    # Scripts and packages lie in two directories of the same prefix.
    folder = posixpath.dirname(_SCRIPTS.sub("bin/", installed(library)))
    found = posixpath.normpath(posixpath.join(folder, path[match.end() :].lstrip("/")))
    if not _SCRIPTS.match(library):
        return found
    packages = _PACKAGES.match(found)
    return found[packages.end() :] if packages else None


def _searched(subject: Subject, library: str, users: Mapping[str, list[str]]) -> set[str]:
    """Return the folders in which a library's needs are looked for: by its run paths, and by those of what loads it.

    The latter count on macOS, and on Linux as RPATH, which auditwheel writes.
    """
    found, waiting = {library}, [library]
    while waiting:
        name = waiting.pop()
        names = {base_name(name), *(base_name(image.name) for image in subject.binaries[name].images if image.name)}
        new = {user for one in names for user in users.get(one, ())} - found
        found |= new
        waiting += new
    paths = ((path, name) for name in found for image in subject.binaries[name].images for path in image.run_paths)
    return {folder for path, name in paths if (folder := _destination(path, name)) is not None}


def _has_system(subject: Subject, image: Image, needed: str) -> bool:
    """Say whether every system that a wheel is for has a library, or the runtime brings it."""
    if subject.platform.is_runtime(needed) or is_python_library(needed):
        return True  # other rules look at these
    if subject.platform == MACOS:
        return MACOS.has(needed)
    if subject.platform == LINUX:
        policies = read_policies(image.architecture)
        return not policies or any(policy.has_library(needed) for policy in policies)
    return is_redistributable(needed) or has_windows(needed, image.architecture)


def _is_external(subject: Subject, needed: str) -> bool:
    return any(is_named(needed, glob) for glob in subject.settings.external)


RULES = (absolute_run_path, no_run_path, nowhere, redistributable, not_found, nobodys)
