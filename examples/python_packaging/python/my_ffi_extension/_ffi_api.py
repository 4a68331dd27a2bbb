"""What the library registers as my_ffi_extension."""

# tvm-ffi-stubgen(begin): import-section
# fmt: off
# isort: off
from __future__ import annotations
from tvm_ffi import (
    Object as _ffi_Object,
    init_ffi_api as _FFI_INIT_FUNC,
    register_object as _FFI_REG_OBJ,
)
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any
# isort: on
# fmt: on
# tvm-ffi-stubgen(end)

from ._library import LIB

# tvm-ffi-stubgen(begin): global/my_ffi_extension
# fmt: off
_FFI_INIT_FUNC("my_ffi_extension", __name__)
if TYPE_CHECKING:
    def count_words(_0: str, /) -> Mapping[str, int]: ...
    def div_mod(_0: int, _1: int, /) -> tuple[int, int]: ...
    def invert(_0: Mapping[str, str], /) -> Mapping[str, Any]: ...
    def join(_0: Sequence[str], _1: str, /) -> str: ...
    def raise_error(_0: str, /) -> None: ...
    def transform(_0: Callable[..., Any], _1: Sequence[Any], /) -> Sequence[Any]: ...
# fmt: on
# tvm-ffi-stubgen(end)

# tvm-ffi-stubgen(import-object): tvm_ffi.register_object;False;_FFI_REG_OBJ
# tvm-ffi-stubgen(import-object): tvm_ffi.Object;False;_ffi_Object


@_FFI_REG_OBJ("my_ffi_extension.IntPair")
class IntPair(_ffi_Object):
    """The registered type my_ffi_extension.IntPair."""

    # tvm-ffi-stubgen(begin): object/my_ffi_extension.IntPair
    # fmt: off
    a: int
    """The first number."""
    b: int
    """The second number."""
    if TYPE_CHECKING:
        def __init__(self, a: int, b: int, /) -> None: ...
        def sum(self, /) -> int:
            """Return the sum of both numbers."""
            ...
        @staticmethod
        def swapped(_0: IntPair, /) -> IntPair:
            """Return a pair with the numbers swapped."""
            ...
    # fmt: on
    # tvm-ffi-stubgen(end)


__all__ = [
    # tvm-ffi-stubgen(begin): __all__
    "LIB",
    "IntPair",
    "count_words",
    "div_mod",
    "invert",
    "join",
    "raise_error",
    "transform",
    # tvm-ffi-stubgen(end)
]
