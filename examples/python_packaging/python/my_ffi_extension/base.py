"""Loads the library that is built with this package, in a wheel, an editable install or a build tree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import tvm_ffi

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LIB"]

PACKAGE = __name__.rpartition(".")[0]
FILE = {"win32": "my_ffi_extension.dll", "darwin": "libmy_ffi_extension.dylib"}.get(
    sys.platform, "libmy_ffi_extension.so"
)


def _folders() -> Iterator[Path]:
    # Asked for an extension module of this name, an editable install that rebuilds on import does so.
    spec = importlib.util.find_spec(f"{PACKAGE}.{FILE.partition('.')[0]}")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent
    # Beside this file, and in an editable install where the built files are.
    yield from map(Path, sys.modules[PACKAGE].__path__)
    # In a source tree: built in place, or by "cmake -B build".
    for folder in list(Path(__file__).resolve().parents)[1:4]:
        if (folder / "pyproject.toml").is_file():
            yield from (folder, folder / "build")


def _load() -> tvm_ffi.Module:
    searched = list(dict.fromkeys(_folders()))
    for folder in searched:
        if (folder / FILE).is_file():
            return tvm_ffi.load_module(str(folder / FILE))
    folders = ", ".join(map(str, searched))
    raise ImportError(f"{FILE} is not in {folders}; install the package again: python -m pip install my-ffi-extension")


LIB = _load()
