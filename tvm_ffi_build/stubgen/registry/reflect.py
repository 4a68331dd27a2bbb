"""Loads libraries and writes down what they register. Runs in a process of its own, under any Python with the runtime.

``python reflect.py OUTPUT REQUEST``: the file REQUEST is JSON, ``{"imports": [...], "libraries": [{"path",
"functions"}]}``; the file OUTPUT gets the snapshot, so that a library may print what it likes. Imports nothing of
tvm_ffi_build: that need not be installed for this Python.

If the request has ``"modules"``, ``[{"name", "path"}]``, and ``"texts"``, by path, those modules are imported instead,
as if the files had these texts. The file OUTPUT gets what failed.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import traceback
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
    answer = _try_imports(request) if "modules" in request else _snapshot(tvm_ffi, libraries)
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(answer, file, indent=1)
    # What the libraries do when they are unloaded does not matter any more.
    os._exit(0)


def _snapshot(tvm_ffi: Any, libraries: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": 1,
        "runtime": str(tvm_ffi.__version__),
        "functions": {name: _describe_function(tvm_ffi, name) for name in sorted(_list_function_names(tvm_ffi))},
        "types": dict(sorted(_describe_types(tvm_ffi))),
        "libraries": libraries,
    }


def _try_imports(request: dict[str, Any]) -> dict[str, Any]:
    """Import modules; return the first failure, with the last line of these files that it went through."""
    # A source tree is to have no more files than before.
    sys.dont_write_bytecode = True
    roots = []
    for module in request["modules"]:
        root = module["path"]
        for _ in range(module["name"].count(".") + (2 if os.path.basename(root) == "__init__.py" else 1)):  # noqa: PTH119
            root = os.path.dirname(root)  # noqa: PTH120
        roots.append(root)
    libraries = [library["path"] for library in request["libraries"]]
    sys.meta_path.insert(0, _Unwritten(request["texts"], roots, libraries))
    # For other modules of the same tree; behind what is installed.
    sys.path += roots
    elsewhere = []
    for module in request["modules"]:
        name, path = module["name"], module["path"]
        if any(getattr(known, "__file__", None) == path for known in list(sys.modules.values())):
            continue
        if name in sys.modules:
            elsewhere.append(path)
            continue
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001  (a module may even end the process)
            known = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in request["texts"]]
            where, line = (known[-1].filename, known[-1].lineno) if known else (path, 1)
            told = f"{type(error).__name__}: {error}".partition("\n")[0]
            return {"elsewhere": elsewhere, "failed": {"path": where, "line": line, "error": told}}
    return {"elsewhere": elsewhere, "failed": None}


class _Unwritten(importlib.abc.MetaPathFinder):
    """Finds modules in texts that are not in their files yet."""

    def __init__(self, texts: dict[str, str], roots: list[str], libraries: list[str]) -> None:
        self.texts = texts
        self.roots = roots
        self.folders = [os.path.dirname(library) for library in libraries]  # noqa: PTH120
        self.libraries = {os.path.basename(library).partition(".")[0]: library for library in libraries}  # noqa: PTH119

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:  # noqa: ARG002
        """Return where a module is; None to leave it to other finders."""
        for folder in self.roots if path is None else path:
            base = os.path.join(folder, fullname.rpartition(".")[2])  # noqa: PTH118
            for file, search in ((os.path.join(base, "__init__.py"), [base, *self.folders]), (f"{base}.py", None)):  # noqa: PTH118
                if file in self.texts:
                    loader = _Text(fullname, file, self.texts[file])
                    return importlib.util.spec_from_file_location(
                        fullname, file, loader=loader, submodule_search_locations=search
                    )
            if any(file.startswith(base + os.sep) for file in self.texts) and not os.path.isdir(base):  # noqa: PTH112
                # A package without __init__.py, whose folder is not there yet.
                spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
                spec.submodule_search_locations = [base]
                return spec
        # The generated loader asks for its library as for a module, which an editable install answers with the library
        # of the build before. That one must not be loaded beside the new one: both register the same.
        library = self.libraries.get(fullname.rpartition(".")[2])
        return (
            None if library is None or path is None else importlib.machinery.ModuleSpec(fullname, None, origin=library)
        )


class _Text(importlib.machinery.SourceFileLoader):
    """Loads a module from a text."""

    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self.text = text

    def get_data(self, path: Any) -> bytes:
        """Return the text; other files of the module, such as data of its package, as they are."""
        return self.text.encode("utf-8", "surrogateescape") if path == self.path else super().get_data(path)

    def path_stats(self, path: Any) -> Any:
        """Say that there is not a file, so that what Python has compiled of an older one is not taken."""
        raise FileNotFoundError(path)


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
    return {name: _describe_callable(metadata_of(name) or {}, doc_of(name)) for name in sorted(functions)}


def _describe_callable(metadata: Any, doc: Any) -> dict[str, Any]:
    # What signature.h writes, and the registry keeps as it is.
    said = doc or metadata.get("doc")
    signature = metadata.get("signature")
    return {
        "type": metadata.get("type_schema"),
        "doc": said and str(said),
        "signature": signature if isinstance(signature, str) else None,
    }


def _list_function_names(tvm_ffi: Any) -> list[str]:
    # As in tvm_ffi.registry, by a function that has been there since 0.1.0.
    functor = tvm_ffi.get_global_func("ffi.FunctionListGlobalNamesFunctor")()
    return [str(functor(number)) for number in range(functor(-1))]


def _describe_function(tvm_ffi: Any, name: str) -> dict[str, Any]:
    text = tvm_ffi.get_global_func("ffi.GetGlobalFuncMetadata")(name)
    metadata = json.loads(str(text)) if text else {}
    return _describe_callable(metadata, None)


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
                **_describe_callable(method.metadata or {}, method.doc),
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
