"""Rules on whether the package can be imported, and its import loads the library."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from ...contract.evidence.python_use import UnreadPythonError, find_python_calls
from ...platforms.systems import LINUX, MACOS
from ...wheels.find_words import find_words
from ..findings import ERROR, WARNING, Problem, first_rule, wheel_rule
from ..python_packages import find_library_directories, find_source_directories, has_python, list_loaded_libraries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...contract.evidence.python_use import Call
    from ...platforms.systems import Platform
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

# One of these is in all code that loads a library, also through the functions of another package.
_LOADING = (b"tvm_ffi", b"load", b"Load", b"DLL", b"dll", b"dlopen")
# The runtime's loaders, which are given a distribution and the name of a library in it.
_LOADERS = {"tvm_ffi.libinfo.load_lib_module", "tvm_ffi.libinfo.load_lib_ctypes"}
_BY_NAME = b"load_lib_"
# Bytes of a file; longer ones are made by programs, and hold data.
_LONGEST = 1 << 20


@wheel_rule("C413", "no Python file loads the library", WARNING)
def unloaded_library(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for wheels whose Python files have nothing to do with their libraries."""
    libraries = list_loaded_libraries(contents)
    if not libraries:
        return
    if not has_python(contents):
        yield Problem(
            f"the wheel has no Python file, so there is nothing to import, and {libraries[0]} is never loaded",
            'add a package: wheel.packages = ["python/<package>"] in [tool.scikit-build], with an __init__.py that '
            "loads the library",
            libraries[0],
            tuple(libraries),
        )
    elif not _has_loading_code(contents, libraries):
        yield Problem(
            f"no Python file of the wheel loads {libraries[0]}",
            "load it in the package, for example with tvm_ffi.libinfo.load_lib_module; if STUB_DIR has a generated "
            "loader, list its directory in wheel.packages",
            libraries[0],
            tuple(libraries),
        )


def _has_loading_code(contents: WheelLibraries, libraries: list[str]) -> bool:
    names = [posixpath.basename(name).partition(".")[0] for name in libraries]
    words = {*_LOADING, *(name.encode() for name in names if name.startswith("lib"))}
    # Generated data about a library, which the loader reads.
    guards = {f"_{name.removeprefix('lib')}_runtime.py" for name in names}
    python = (name for name in contents.wheel.files if name.endswith(".py") and posixpath.basename(name) not in guards)
    return any(find_words(contents.chunks(name), words) for name in python)


@wheel_rule("C414", "a library outside of the packages", WARNING)
def library_outside_package(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries in directories that hold nothing to import."""
    for directory, name in find_library_directories(contents).items():
        yield Problem(
            f"{name} is in the directory {directory}, which is not a package: it has no Python file",
            "install it into the package: install(TARGETS ... DESTINATION <package>), with the name of the directory "
            "that has __init__.py",
            name,
            (name,),
        )


@wheel_rule("C415", "a loader names a library that the wheel lacks", ERROR)
def wrong_loader_arguments(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for calls of the runtime's loaders with the name of another distribution or library."""
    wheel = contents.wheel
    for name in wheel.files:
        is_small = name.endswith(".py") and wheel.archive.members[name].file_size <= _LONGEST
        if is_small and find_words(contents.chunks(name), [_BY_NAME]):
            for call in _find_loader_calls(b"".join(contents.chunks(name)).decode("utf-8", "replace")):
                yield from _check_call(call, name, contents)


def _find_loader_calls(text: str) -> list[Call]:
    try:
        return [call for call in find_python_calls(text) if call.name in _LOADERS]
    except UnreadPythonError:
        return []


def _check_call(call: Call, name: str, contents: WheelLibraries) -> Iterator[Problem]:
    distribution, target = call.argument(0, "package"), call.argument(1, "target_name")
    function = call.name.rpartition(".")[2]
    # What looks in directories of its own too finds a library there whatever the distribution is called (apache-tvm).
    if distribution is None or len(call.positional) > 3 or "extra_lib_paths" in call.by_name:
        return
    wanted, wheel = canonicalize_name(distribution), contents.wheel
    if wanted != wheel.name:
        # A library of what is installed along with the wheel, such as the runtime, may be loaded too.
        required = {canonicalize_name(requirement.name) for requirement in wheel.requirements}
        if wanted not in required:
            yield Problem(
                f"{name}, line {call.line}: {function} looks for a library of the distribution {distribution}, but "
                f"this wheel is {wheel.name}",
                f'write {function}("{wheel.name}", ...), or change name in [project]',
                name,
                (distribution,),
            )
    elif target is not None:
        expected = _list_library_names(target, contents.platform)
        held = sorted(posixpath.basename(one) for one in contents.binaries)
        if not set(expected) & set(held):
            yield Problem(
                f"{name}, line {call.line}: {function} looks for {expected[0]}, which is not in the wheel",
                f"name a library that is: {', '.join(held)}",
                name,
                (target,),
            )


def _list_library_names(target: str, platform: Platform) -> tuple[str, ...]:
    """Return the file names that the runtime's loaders look for."""
    if platform == LINUX:
        return (f"lib{target}.so",)
    return (f"lib{target}.dylib", f"lib{target}.so") if platform == MACOS else (f"{target}.dll",)


@wheel_rule("C416", "a source directory in the wheel", ERROR)
def package_in_sources(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for packages that would have to be imported with the name of the source directory before theirs."""
    for directory, package in find_source_directories(contents).items():
        name = f"{directory}/{package}/__init__.py"
        yield Problem(
            f"import {package} fails: the wheel has it as {directory}/{package}",
            f'write wheel.packages = ["{directory}/{package}"] in [tool.scikit-build]',
            name,
            (name,),
        )


@first_rule("C417", "no library", ERROR)
def no_library(subject: Subject) -> Iterator[Problem]:
    """Look for what should be the wheel of an extension, and holds no library."""
    if subject.contents is None or subject.binaries:
        return
    wheel = subject.contents.wheel
    # Packages in pure Python that use the runtime are for any platform.
    is_pure = wheel.platforms == ("any",) and any(name.endswith(".py") for name in wheel.files)
    if not wheel.is_runtime and wheel.runtime_requirements() and not is_pure:
        yield Problem(
            f"the wheel requires {wheel.runtime_requirements()[0].name} and holds no library",
            "put one in with install(TARGETS ...), whose DESTINATION is relative and in a package, and build it again",
            "",
            (wheel.tag,),
        )


@wheel_rule("C418", "a package cannot be imported", ERROR)
def failing_import(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Import the packages, if that was asked for and this machine can."""
    found = subject.imported
    if found.error:
        yield Problem(f"import {found.package} fails: {found.error}", found.remedy, "", (found.package,))


RULES = (
    unloaded_library,
    library_outside_package,
    wrong_loader_arguments,
    package_in_sources,
    no_library,
    failing_import,
)
