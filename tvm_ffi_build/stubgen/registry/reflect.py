"""Loads libraries and writes down what they register. Runs in a process of its own, under any Python with the runtime.

``python reflect.py OUTPUT REQUEST``: the file REQUEST is JSON, ``{"imports": [...], "libraries": [{"path",
"functions"}]}``; the file OUTPUT gets the snapshot, so that a library may print what it likes. Imports nothing of
tvm_ffi_build: that need not be installed for this Python.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Answer the request on the command line."""
    # The folder of this file, whose modules have names that others have too.
    del sys.path[0]
    output = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as file:  # noqa: PTH123
        request = json.load(file)
    import tvm_ffi  # noqa: PLC0415  (so that its library is there before the others look for it)

    for name in request["imports"]:
        importlib.import_module(name)
    libraries = {
        os.path.basename(library["path"]): _describe_library(tvm_ffi, **library)  # noqa: PTH119
        for library in request["libraries"]
    }
    snapshot = {
        "schema": 1,
        "runtime": str(tvm_ffi.__version__),
        "functions": {name: _describe_function(tvm_ffi, name) for name in sorted(_list_function_names(tvm_ffi))},
        "types": dict(sorted(_describe_types(tvm_ffi))),
        "libraries": libraries,
    }
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(snapshot, file, indent=1)
    # What the libraries do when they are unloaded does not matter any more.
    os._exit(0)


def _describe_library(tvm_ffi: Any, path: str, functions: list[str]) -> dict[str, Any]:
    """Load a library; describe the functions that it exports as C symbols, as far as it carries their metadata."""
    if hasattr(os, "add_dll_directory"):  # Windows looks for what a library needs nowhere else (bpo-36085)
        os.add_dll_directory(os.path.dirname(path))  # noqa: PTH120
    # Globally visible (RTLD_GLOBAL in dlopen(3)), so that a library may use those before it.
    ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    if not functions:
        return {}
    module = tvm_ffi.load_module(path)
    metadata_of = getattr(module, "get_function_metadata", lambda _: None)
    doc_of = getattr(module, "get_function_doc", lambda _: None)
    return {
        name: {"type": (metadata_of(name) or {}).get("type_schema"), "doc": doc_of(name)} for name in sorted(functions)
    }


def _list_function_names(tvm_ffi: Any) -> list[str]:
    # As in tvm_ffi.registry, by a function that has been there since 0.1.0.
    functor = tvm_ffi.get_global_func("ffi.FunctionListGlobalNamesFunctor")()
    return [str(functor(number)) for number in range(functor(-1))]


def _describe_function(tvm_ffi: Any, name: str) -> dict[str, Any]:
    text = tvm_ffi.get_global_func("ffi.GetGlobalFuncMetadata")(name)
    metadata = json.loads(str(text)) if text else {}
    return {"type": metadata.get("type_schema"), "doc": metadata.get("doc")}


def _describe_types(tvm_ffi: Any) -> Any:
    from tvm_ffi import core  # noqa: PLC0415

    for key in map(str, tvm_ffi.get_global_func("ffi.GetRegisteredTypeKeys")()):
        try:
            info = core._lookup_or_register_type_info_from_type_key(key)  # noqa: SLF001
        except Exception:  # noqa: BLE001, S112  (types without an object: there is nothing to describe)
            continue
        if not hasattr(info, "type_key"):
            continue
        yield key, _describe_type(tvm_ffi, core, info)


def _describe_type(tvm_ffi: Any, core: Any, info: Any) -> dict[str, Any]:
    missing = getattr(core, "MISSING", None)
    lookup = getattr(core, "_lookup_type_attr", None)
    has_init = any(str(method.name) == "__ffi_init__" for method in info.methods or ())
    if not has_init and lookup is not None:
        has_init = lookup(info.type_index, "__ffi_init__") is not None
    return {
        "parent": str(info.parent_type_info.type_key) if info.parent_type_info is not None else None,
        "python": _locate_python_class(tvm_ffi, info.type_cls),
        "init": has_init,
        "fields": [
            {
                "name": str(field.name),
                "type": (field.metadata or {}).get("type_schema"),
                "doc": field.doc and str(field.doc),
                "frozen": bool(field.frozen),
                "init": bool(getattr(field, "c_init", True)),
                "kw_only": bool(getattr(field, "c_kw_only", False)),
                "default": _describe_default(field, missing),
            }
            for field in info.fields or ()
        ],
        "methods": [
            {
                "name": str(method.name),
                "type": (method.metadata or {}).get("type_schema"),
                "doc": method.doc and str(method.doc),
                "static": bool(method.is_static),
            }
            for method in info.methods or ()
        ],
    }


def _describe_default(field: Any, missing: Any) -> str | None:
    """Return a default as Python writes it, ``...`` if that cannot be said in short, None if there is none."""
    if not getattr(field, "c_has_default", False):
        return None
    value = getattr(field, "c_default", missing)
    return repr(value) if value is None or type(value) in {bool, int, float, str} else "..."


def _locate_python_class(tvm_ffi: Any, cls: type[Any] | None) -> str | None:
    """Return where the Python class of a type is imported from, by the shortest way."""
    if cls is None:
        return None
    name: str = cls.__name__
    if getattr(tvm_ffi, name, None) is cls:
        return f"tvm_ffi.{name}"
    return f"{cls.__module__}.{cls.__qualname__}"


if __name__ == "__main__":
    main()
