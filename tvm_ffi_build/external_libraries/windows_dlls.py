"""Which DLLs a Windows has: delvewheel's list, which its makers keep up to date, read from where it is installed."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module

from ..errors import MissingToolError
from ..host.programs import python_command
from ..platforms.systems import base_name

__all__ = ["has_windows", "is_redistributable"]

# What Microsoft's compilers link to, with the names of their versions; those for debugging have no redistributable.
_REDISTRIBUTABLE = re.compile(r"(vcruntime|vccorlib|msvcp|msvcr|concrt|mfcm?|vcamp|vcomp)\d[\w.]*(?<!d)\.dll$")
_NAMES = {"x86": "I386", "amd64": "AMD64", "arm64": "ARM64"}


def has_windows(library: str, architecture: str) -> bool:
    """Say whether every Windows has a DLL.

    Args:
        library: Its name.
        architecture: As the wheel tags of Windows spell it.

    Raises:
        MissingToolError: delvewheel is not installed, or its list is not what it was.

    """
    if architecture not in _NAMES:
        return True  # which nobody has a list of
    names, patterns = _read_dlls(architecture)
    return base_name(library) in names or any(pattern.fullmatch(base_name(library)) for pattern in patterns)


def is_redistributable(library: str) -> bool:
    """Say whether a DLL comes with the redistributable package of Visual C++.

    >>> [is_redistributable(name) for name in ("MSVCP140.dll", "VCRUNTIME140_1.dll", "MSVCP140D.dll", "KERNEL32.dll")]
    [True, True, False, False]
    """
    return bool(_REDISTRIBUTABLE.match(base_name(library)))


@cache
def _read_dlls(architecture: str) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    try:
        table = import_module("delvewheel._dll_list")
        names = table.ignore_names[table.MachineType[_NAMES[architecture]]]
        return frozenset(names), tuple(table.ignore_regexes)
    except ModuleNotFoundError:
        raise MissingToolError(
            "delvewheel is not installed", command=f"{python_command()} -m pip install 'tvm-ffi-build[wheel]'"
        ) from None
    except (AttributeError, KeyError, TypeError):
        raise MissingToolError(
            "delvewheel keeps its list of DLLs in a way that tvm-ffi-build does not know",
            command=f"{python_command()} -m pip install -U tvm-ffi-build",
        ) from None
