"""The readers of libraries: whatever a file holds, they read it or say that it is damaged."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.binaries.python_calls import python_imports
from tvm_ffi_build.binaries.signature import signature_problem
from tvm_ffi_build.errors import UnreadableBinaryError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["one"]


def one(data: bytes, folder: Path) -> None:
    library = folder / "library.so"
    library.write_bytes(data)
    for read in (read_binary, python_imports, signature_problem):
        with suppress(UnreadableBinaryError):
            read(library)
