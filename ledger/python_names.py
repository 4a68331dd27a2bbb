"""Prints the public names of each public module of tvm_ffi, as JSON. Runs in a process of its own, beside one release.

``python python_names.py FOLDER``, where FOLDER holds ``tvm_ffi/``. Asked of the imported modules and not read from the
sources, since one of them is compiled.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import types
import typing
from typing import Any, TypeVar

__all__ = ["main"]


def main() -> None:
    """Answer for the folder on the command line."""
    sys.path[0] = sys.argv[1]
    package = importlib.import_module("tvm_ffi")
    found = {"tvm_ffi": _names(package)}
    for module in pkgutil.walk_packages(package.__path__, "tvm_ffi."):
        parts = module.name.split(".")
        # To import a __main__ is to run it. The other two are commands and tests of the runtime's own.
        if any(part.startswith("_") for part in parts) or parts[1] in {"stub", "testing"}:
            continue
        try:
            found[module.name] = _names(importlib.import_module(module.name))
        except ImportError as error:  # an optional requirement
            print(f"{module.name}: {error}", file=sys.stderr)
            found[module.name] = []
    json.dump(found, sys.stdout)


def _names(module: types.ModuleType) -> list[str]:
    listed = set(getattr(module, "__all__", ()))
    return sorted(
        name
        for name, value in vars(module).items()
        if name in listed or name == "__version__" or (not name.startswith("_") and _is_own(name, value))
    )


def _is_own(name: str, value: Any) -> bool:
    """Say whether a name of a module is of the runtime, its own or another module's: both can be imported from it."""
    if name == "annotations" or isinstance(value, TypeVar) or value is getattr(typing, name, None):
        return False
    home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    # A plain value has none. What is compiled was once in a module that took itself for a top-level one.
    return home is None or str(home).partition(".")[0] in {"tvm_ffi", "core"}


if __name__ == "__main__":
    main()
