"""Searches in the source of the package, for tests of rules that hold for all of its modules."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PACKAGE", "find_lines", "find_modules", "list_texts"]

PACKAGE = ROOT / "tvm_ffi_build"


def find_modules(is_found: Callable[[str], object]) -> set[str]:
    """Return the modules of whose source something is true, by their paths in the package."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    return {name for name, path in paths.items() if is_found(path.read_text(encoding="utf-8"))}


def find_lines(search: Callable[[str], Iterable[object]]) -> set[str]:
    """Return what a search finds in the source of the modules, each after the path of the module and a colon."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    return {f"{name}:{found}" for name, path in paths.items() for found in search(path.read_text(encoding="utf-8"))}


def list_texts(source: str) -> list[str]:
    """Return the strings and docstrings in a source, and what is in its byte strings; comments do not count."""
    values = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    texts = [value for value in values if isinstance(value, str)]
    return texts + [value.decode("latin-1") for value in values if isinstance(value, bytes)]
