"""Which libraries of a wheel its Python files do without: those that are loaded in a ``try`` only.

A package may have a library for each of several accelerators, and load those that this machine can load.
"""

from __future__ import annotations

import ast
import posixpath
import re
from typing import TYPE_CHECKING

from ..contract.evidence.python_use import UnreadPythonError, parse_python
from ..wheels.find_words import find_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..wheels.libraries import WheelLibraries

__all__ = ["find_optional_libraries"]

_LOADERS = {
    *("CDLL", "PyDLL", "WinDLL", "OleDLL", "LoadLibrary", "load_library", "import_module"),
    *("load_module", "load_lib_ctypes", "load_lib_module"),
}
# What ctypes, an import and tvm_ffi.load_module raise if the dynamic linker refuses a library, and their base classes.
_FAILURES = {"OSError", "ImportError", "RuntimeError", "Exception", "BaseException"}
_ENDING = re.compile(r"\.(so|dylib|dll|pyd|cpython-|abi3|cp\d).*$")
# Bytes of a file; longer ones are made by programs, and hold data.
_LONGEST = 1 << 20


def find_optional_libraries(contents: WheelLibraries) -> frozenset[str]:
    """Return the libraries that Python files load, each of them in a ``try`` or ``suppress`` for failures."""
    named = {name: _name_library(name) for name in contents.binaries}
    words = [word.encode() for word in set(named.values()) if word]
    ready: set[str] = set()
    needed: set[str] = set()
    for name, path in contents.texts.items():
        if not name.endswith(".py") or path.stat().st_size > _LONGEST or not find_words(contents.chunks(name), words):
            continue
        try:
            tree = parse_python(b"".join(contents.chunks(name)).decode("utf-8", "replace"))
        except UnreadPythonError:
            continue
        for library, is_ready in _find_loads(tree, is_ready=False) if tree is not None else ():
            (ready if is_ready else needed).add(library)
    return frozenset(name for name, called in named.items() if called in ready - needed)


def _find_loads(root: ast.AST, *, is_ready: bool) -> Iterator[tuple[str, bool]]:
    """Yield what a piece of code loads, and whether it is ready for a failure."""
    waiting = [(root, is_ready)]
    while waiting:
        node, caught = waiting.pop()
        for name in _list_loaded(node):
            yield name, caught
        within = caught or _is_suppressing(node)
        for field, value in ast.iter_fields(node):
            is_body = field == "body" and isinstance(node, ast.Try) and any(map(_catches_failure, node.handlers))
            children = value if isinstance(value, list) else [value]
            waiting += [(child, within or is_body) for child in children if isinstance(child, ast.AST)]


def _list_loaded(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _LOADERS:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield _name_library(part.value)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.name.rpartition(".")[2] for alias in node.names)


def _is_suppressing(node: ast.AST) -> bool:
    calls = (item.context_expr for item in node.items) if isinstance(node, ast.With) else ()
    return any(
        isinstance(call, ast.Call)
        and getattr(call.func, "attr", getattr(call.func, "id", "")) == "suppress"
        and _names_failure(call.args)
        for call in calls
    )


def _catches_failure(handler: ast.ExceptHandler) -> bool:
    # One that raises again only says more about the failure.
    is_final = not any(isinstance(node, ast.Raise) for statement in handler.body for node in ast.walk(statement))
    return is_final and (handler.type is None or _names_failure([handler.type]))


def _names_failure(expressions: Iterable[ast.expr]) -> bool:
    return any(
        getattr(part, "attr", getattr(part, "id", "")) in _FAILURES for one in expressions for part in ast.walk(one)
    )


def _name_library(path: str) -> str:
    """Return what a file is called without directory, ``lib`` and ending, as the loaders of the runtime name it."""
    return _ENDING.sub("", posixpath.basename(path.replace("\\", "/"))).removeprefix("lib")
