"""Prints the public names of each public module of tvm_ffi, and what can be given to each by name, as JSON.

``python python_names.py FOLDER``, where FOLDER holds ``tvm_ffi/``: in a process of its own, beside one release. Asked
of the imported modules and not read from the sources, since one of them is compiled.
"""

from __future__ import annotations

import importlib
import inspect
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
    found = {"tvm_ffi": _described(package)}
    for module in pkgutil.walk_packages(package.__path__, "tvm_ffi."):
        parts = module.name.split(".")
        # To import a __main__ is to run it. The other two are commands and tests of the runtime's own.
        if any(part.startswith("_") for part in parts) or parts[1] in {"stub", "testing"}:
            continue
        try:
            found[module.name] = _described(importlib.import_module(module.name))
        except ImportError as error:  # an optional requirement
            print(f"{module.name}: {error}", file=sys.stderr)
            found[module.name] = {}
    json.dump(found, sys.stdout)


def _described(module: types.ModuleType) -> dict[str, list[str]]:
    """Return the public names of a module, and the parameters of each: none of what cannot be called."""
    listed = set(getattr(module, "__all__", ()))
    return {
        name: _parameters(value)
        for name, value in sorted(vars(module).items())
        if name in listed or name == "__version__" or (not name.startswith("_") and _is_own(name, value))
    }


def _parameters(value: Any) -> list[str]:
    """Return the parameters that can be given by name; ``**`` for any, and for what nobody knows the parameters of."""
    if not callable(value):
        return []
    if not inspect.isfunction(value):
        return ["**"]
    found = inspect.signature(value).parameters.values()
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    anything = ["**"] if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in found) else []
    return [*(one.name for one in found if one.kind in by_name), *anything]


def _is_own(name: str, value: Any) -> bool:
    """Say whether a name of a module is of the runtime, its own or another module's: both can be imported from it."""
    if name == "annotations" or isinstance(value, TypeVar) or value is getattr(typing, name, None):
        return False
    home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    # A plain value has none. What is compiled was once in a module that took itself for a top-level one.
    return home is None or str(home).partition(".")[0] in {"tvm_ffi", "core"}


if __name__ == "__main__":
    main()
