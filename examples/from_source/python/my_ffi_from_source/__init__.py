"""An extension that is linked to a runtime built from source."""

from __future__ import annotations

from typing import Any

from tvm_ffi.libinfo import load_lib_module

__all__ = ["scale"]

LIB = load_lib_module("my-ffi-from-source", "my_ffi_from_source")


def scale(x: Any, factor: float) -> None:
    """Multiply a one-dimensional float32 tensor of any library that speaks DLPack, in place."""
    LIB.scale(x, factor)
