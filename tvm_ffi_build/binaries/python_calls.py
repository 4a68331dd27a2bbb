"""Does a library call into CPython? Asked by CMake before a library goes into a ``py3`` wheel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import AgnosticError
from . import read_binary

if TYPE_CHECKING:
    from pathlib import Path

    from . import Binary

__all__ = [
    "EXPORT_HOOKS",
    "calls_python",
    "describe_calls",
    "is_python_library",
    "module_functions",
    "python_imports",
    "require_agnostic",
]

# Every public name of CPython's C API starts with Py or Py_, every private one with _Py.
_SYMBOL = re.compile(r"_?Py[A-Z_]")
# By which CPython loads an extension module: since 3.15 an export hook (PEP 793), before that and still a function
# that returns a PyModuleDef. The name after "U_" is punycode (PEP 489).
EXPORT_HOOKS = ("PyModExport_", "PyModExportU_")
_INIT_FUNCTIONS = ("PyInit_", "PyInitU_")
_LIBRARY = re.compile(r"(lib)?python3?[0-9._]*t?(_d)?\.(dll|so|dylib)|Python$", re.IGNORECASE)


def python_imports(path: Path) -> list[str]:
    """Return the names of CPython's library and symbols that a library needs, sorted.

    Raises:
        UnreadableBinaryError: It is no library, or a damaged one.

    """
    binary = read_binary(path)
    libraries = {name for name in binary.libraries if is_python_library(name)}
    symbols = {name for name in binary.imported if _SYMBOL.match(name)}
    return [*sorted(libraries), *sorted(symbols)]


def calls_python(binary: Binary) -> list[str]:
    """Return the same of a library that was read, without what it loads at its first call (PE)."""
    delayed = {name for image in binary.images for name in image.delayed}
    libraries = {name for image in binary.images for name in image.libraries if is_python_library(name)}
    symbols = {
        symbol.name
        for image in binary.images
        for symbol in image.imports
        if _SYMBOL.match(symbol.name) and symbol.library not in delayed
    }
    return [*sorted(libraries), *sorted(symbols)]


def module_functions(binary: Binary) -> tuple[str, ...]:
    """Return the functions by which CPython loads a library as an extension module, sorted."""
    return tuple(sorted(symbol for symbol in binary.exported if symbol.startswith(_INIT_FUNCTIONS + EXPORT_HOOKS)))


def is_python_library(name: str) -> bool:
    """Say whether a library's name is one of CPython's library."""
    return bool(_LIBRARY.match(name.rpartition("/")[2]))


def require_agnostic(path: Path, remedy: str = 'write wheel.py-api = "" in [tool.scikit-build]') -> None:
    """Check that a library may go into a wheel that is tagged ``py3``.

    Raises:
        AgnosticError: It calls into CPython.
        UnreadableBinaryError: It is no library, or a damaged one.

    """
    found = python_imports(path)
    if found:
        raise AgnosticError(f"{describe_calls(path.name, found)}", f"{remedy}, or remove those calls")


def describe_calls(library: str, found: list[str]) -> str:
    """Return in a sentence what is wrong with a library of a ``py3`` wheel that needs some names of CPython."""
    names = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    return f"{library} calls into CPython ({names}), so its wheel must not be tagged py3"
