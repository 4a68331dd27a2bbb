"""Whether the Python files of a wheel load a library of another distribution before it is needed.

A library that a process has loaded is found by its name (dlopen(3), LoadLibrary), wherever it is. ``import torch``
loads the CUDA libraries that torch requires, and ``import tvm_ffi`` imports torch where that is installed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..contract.evidence.python_use import UnreadPythonError, parse_python
from ..platforms.systems import base_name
from ..wheels.find_words import find_words
from .dll_search import read_loading_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..wheels.libraries import WheelLibraries
    from .dll_search import LoadingCode

__all__ = ["Preloading", "read_preloading"]

# Bytes of a file; longer ones are made by programs, and hold data.
_LONGEST = 1 << 20
_TORCH, _RUNTIME = "torch", "tvm_ffi"
# The function of cuda.pathfinder that loads a library of NVIDIA's distributions by its short name.
_PATHFINDER = "load_nvidia_dynamic_lib"
_NVIDIA = "nvidia"
_CDLL = "CDLL"


@dataclass(frozen=True)
class Preloading:
    """What the Python files of a wheel load and import.

    Attributes:
        codes: What loads libraries by their paths.
        modules: The packages that are imported, anywhere in a file.
        pathfinder: The texts in the files that call cuda.pathfinder.

    """

    codes: tuple[LoadingCode, ...]
    modules: frozenset[str]
    pathfinder: frozenset[str]

    def loads(self, library: str, *, requires_torch: bool, on_windows: bool) -> bool:
        """Say whether a library of another distribution is loaded, as far as the texts tell."""
        stem = base_name(library).partition(".")[0]
        if _TORCH in self.modules or (requires_torch and _RUNTIME in self.modules):
            return True
        if stem.removeprefix("lib") in self.pathfinder:
            return True
        return any(
            (code.loads or (on_windows and (code.adds or code.changes_path)))
            and (_NVIDIA in code.names or code.names_file(base_name(library)) or _begins_one(stem, code.names))
            for code in self.codes
        )


def _begins_one(stem: str, names: frozenset[str]) -> bool:
    """Say whether one of some texts begins as a library's name does, as ``libcudart.so.`` before a version."""
    return any(name.startswith(stem) for name in names)


def read_preloading(contents: WheelLibraries) -> Preloading:
    """Return what the Python files of a wheel load and import; those that cannot be parsed do nothing."""
    codes = read_loading_code(contents.wheel, contents.binaries)
    modules: set[str] = set()
    pathfinder: set[str] = set()
    bare: set[str] = set()
    for tree in _parse_files(contents):
        modules.update(_list_imports(tree))
        bare.update(_list_bare_names(tree))
        if any(getattr(node, "attr", getattr(node, "id", "")) == _PATHFINDER for node in ast.walk(tree)):
            texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            pathfinder.update(text.lower() for text in texts if isinstance(text, str))
    # A bare name is not looked for in the directory for packages.
    codes = [code._replace(names=code.names - bare) for code in codes]
    return Preloading(tuple(codes), frozenset(modules), frozenset(pathfinder))


def _parse_files(contents: WheelLibraries) -> Iterator[ast.Module]:
    words = [word.encode() for word in (_TORCH, _RUNTIME, _PATHFINDER, _CDLL)]
    for name, path in contents.texts.items():
        if not name.endswith(".py") or path.stat().st_size > _LONGEST or not find_words(contents.chunks(name), words):
            continue
        text = b"".join(contents.chunks(name)).decode("utf-8", "replace")
        try:
            tree = parse_python(text)
        except UnreadPythonError:
            continue
        if tree is not None:
            yield tree


def _list_imports(tree: ast.AST) -> Iterator[str]:
    """Yield the packages that a file imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _list_bare_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that ``ctypes.CDLL`` is called with as they are written, in lower case."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == _CDLL:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value.lower()
