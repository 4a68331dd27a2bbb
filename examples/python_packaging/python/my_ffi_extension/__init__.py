"""An extension that works with every Python: its C++ library knows nothing of CPython."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tvm_ffi

from ._ffi_api import count_words, div_mod, invert, join, raise_error, transform
from .base import LIB

__all__ = ["IntPair", "add_one", "count_words", "div_mod", "invert", "join", "raise_error", "transform"]


def add_one(x: Any, y: Any) -> None:
    """Write ``x + 1`` into ``y``; both are one-dimensional float32 tensors of any library that speaks DLPack."""
    LIB.add_one(x, y)


@tvm_ffi.register_object("my_ffi_extension.IntPair")
class IntPair(tvm_ffi.Object):
    """Two integers, kept in C++."""

    if TYPE_CHECKING:
        a: int
        b: int

        def sum(self) -> int:
            """Return the sum of both numbers."""

        @staticmethod
        def swapped(pair: IntPair) -> IntPair:
            """Return a pair with the numbers swapped."""

        def __ffi_init__(self, a: int, b: int) -> None: ...

    def __init__(self, a: int, b: int) -> None:
        """Make a pair."""
        self.__ffi_init__(a, b)
