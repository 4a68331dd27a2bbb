"""Rules on whether a wheel works with the Pythons that its tag names, and could with more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...binaries.python_calls import (
    EXPORT_HOOKS,
    calls_python,
    describe_calls,
    is_python_library,
    module_functions,
)
from ...platforms.systems import WINDOWS, base_name
from ..findings import ERROR, WARNING, Problem, wheel_rule
from ..strings import python_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...binaries import Binary
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES", "uses_python"]

_PYTHON_SPECIFIC = 'write wheel.py-api = "" in [tool.scikit-build], which tags the wheel for one Python'
_LOOKS_UP = {"dlsym", "dlvsym", "GetProcAddress"}
# CPython's importer looks for extension modules by these endings, and takes those of its own version alone (PEP 3149).
_FOR_ONE_PYTHON = re.compile(r"\.(cpython-\d+|pypy\d+|cp\d+|graalpy\d+|abi3)[\w-]*\.(so|pyd)$")


@wheel_rule("A101", "a py3 wheel calls into CPython", ERROR)
def python_calls(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for imports of CPython's library and functions, in a wheel that says it serves every Python."""
    if subject.is_agnostic:
        for name, binary in subject.others():
            found = calls_python(binary)
            if found:
                yield Problem(
                    describe_calls(name, found),
                    f"remove those calls, or {_PYTHON_SPECIFIC}",
                    name,
                    tuple(found),
                )


@wheel_rule("A102", "a py3 wheel holds an extension module of CPython", ERROR)
def extension_module(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for functions by which CPython loads a module."""
    if subject.is_agnostic:
        for name, binary in subject.others():
            found = module_functions(binary)
            if found:
                yield Problem(
                    f"{name} is an extension module of CPython, and the wheel is tagged py3-none",
                    f"load the library with tvm_ffi.load_module instead, or {_PYTHON_SPECIFIC}",
                    name,
                    found,
                )


@wheel_rule("A103", "a py3 wheel loads CPython's library on demand", ERROR)
def delay_loaded_python(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for delay-loaded libraries of CPython."""
    if subject.is_agnostic:
        for name, binary in subject.others():
            found = _find_delayed_pythons(binary)
            if found:
                yield Problem(
                    f"{name} loads {found[0]} at its first call into it, and the wheel is tagged py3-none",
                    f"remove /DELAYLOAD and those calls, or {_PYTHON_SPECIFIC}",
                    name,
                    found,
                )


@wheel_rule("A104", "a py3 wheel looks up functions of CPython by name", WARNING)
def python_names_in_texts(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for names of CPython's functions in libraries that look up functions by name."""
    if subject.is_agnostic:
        for name, binary in subject.others():
            found = python_names(subject.paths[name], binary) if _LOOKS_UP.intersection(binary.imported) else []
            if found and not uses_python(binary):
                yield Problem(
                    f"{name} holds names of CPython's functions and looks up functions by name",
                    "see that it works where they are missing, then ignore this rule for the file, "
                    f"or {_PYTHON_SPECIFIC}",
                    name,
                    tuple(found),
                )


@wheel_rule("A105", "one wheel could support every Python", WARNING)
def needless_python_tag(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for tags of one Python, or of the stable ABI, where nothing calls CPython."""
    tags = [f"{python}-{abi}" for python, abi in sorted(subject.tags) if abi != "none"]
    if tags and not any(map(uses_python, subject.binaries.values())):
        stable = {abi for _, abi in subject.tags if abi in {"abi3", "abi3t"}}
        missing = ", free-threaded ones too" if stable == {"abi3"} else ""
        yield Problem(
            f"no library calls into CPython, so one py3-none wheel would support every Python{missing}",
            f'write wheel.py-api = "py3" in [tool.scikit-build]; the wheel is tagged {contents.wheel.tag}',
            evidence=tuple(tags),
        )


@wheel_rule("A106", "a py3 wheel names a library for one Python", ERROR)
def name_for_one_python(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for file names that other Pythons do not import."""
    if subject.is_agnostic:
        for name, binary in subject.others():
            match = _FOR_ONE_PYTHON.search(base_name(name))
            if match and not module_functions(binary):
                yield Problem(
                    f"{name} has the name of an extension module for one Python, and the wheel is tagged py3-none",
                    "build the library with add_library(... SHARED), not with python_add_library",
                    name,
                    (match[0],),
                )


@wheel_rule("A107", "a library links to libpython", ERROR)
def needs_library(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for CPython's library among what libraries need, in a wheel for some Pythons (PEP 513).

    Many Pythons are linked statically and have no such file. On Windows each has one, by a name of its own.
    """
    if subject.is_agnostic:
        return  # of which A101 and A103 tell
    allowed = [_dlls(python, abi) for python, abi in subject.tags] if subject.platform == WINDOWS else []
    common = set.intersection(*allowed) if allowed else set()
    for name, image in subject.images():
        needed = (*image.libraries, *image.delayed)
        found = tuple(one for one in needed if is_python_library(one) and base_name(one) not in common)
        if found:
            yield Problem(
                f"{name} needs {found[0]}, which not every Python has that the wheel is tagged for",
                "link Python::Module and not Python::Python; for the stable ABI on Windows, Python::SABIModule",
                name,
                found,
            )


@wheel_rule("A108", "a module of an abi3t wheel needs PyModuleDef", ERROR)
def module_definition(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for modules without an export hook in a wheel for the stable ABI of free-threaded Pythons.

    The other function returns a PyModuleDef. It begins with a PyObject, whose size is not part of that ABI (PEP 803).
    """
    if any(abi == "abi3t" for _, abi in subject.tags):
        for name, binary in subject.binaries.items():
            found = module_functions(binary)
            if found and not any(symbol.startswith(EXPORT_HOOKS) for symbol in found):
                yield Problem(
                    f"{name} exports {found[0]} and no PyModExport_ function, so free-threaded Pythons cannot import "
                    "it through abi3t",
                    "compile it with Py_TARGET_ABI3T and define the module by PyModExport_<name> (PEP 793), or remove "
                    "abi3t from the tag",
                    name,
                    found,
                )


def _dlls(python: str, abi: str) -> set[str]:
    """Return the names of the DLLs that a CPython for Windows has, by its tags; python3.dll is the stable ABI's."""
    threaded = "t" if abi.endswith("t") else ""
    stable = f"python3{threaded}.dll"
    return {stable} if abi.startswith("abi3") else {stable, f"python{python.removeprefix('cp')}{threaded}.dll"}


def uses_python(binary: Binary) -> bool:
    """Say whether a library is for CPython in any way that its tables tell."""
    return bool(calls_python(binary) or module_functions(binary) or _find_delayed_pythons(binary))


def _find_delayed_pythons(binary: Binary) -> tuple[str, ...]:
    return tuple(sorted({name for image in binary.images for name in image.delayed if is_python_library(name)}))


RULES = (
    python_calls,
    extension_module,
    delay_loaded_python,
    python_names_in_texts,
    needless_python_tag,
    name_for_one_python,
    needs_library,
    module_definition,
)
