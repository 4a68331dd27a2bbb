"""An extension that works with every Python: its C++ library knows nothing of CPython.

What the library registers is in ``_ffi_api``, which is generated; what it exports as C symbols are methods of ``LIB``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# tvm-ffi-stubgen(begin): export/_ffi_api
# fmt: off
# isort: off
from ._ffi_api import (
    LIB,
    IntPair,
    count_words,
    div_mod,
    invert,
    join,
    raise_error,
    transform,
)
__all__ = [
    "LIB",
    "IntPair",
    "count_words",
    "div_mod",
    "invert",
    "join",
    "raise_error",
    "transform",
]
# isort: on
# fmt: on
# tvm-ffi-stubgen(end)

if TYPE_CHECKING:
    from ._library import SupportsDLPack

__all__ += ["add_one"]


def add_one(x: SupportsDLPack, y: SupportsDLPack) -> None:
    """Write ``x + 1`` into ``y``; both are one-dimensional float32 tensors of any library that speaks DLPack."""
    LIB.add_one(x, y)
