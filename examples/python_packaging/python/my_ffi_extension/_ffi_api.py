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
    def count_words(text: str, /) -> Mapping[str, int]:
        """Count the words of a text."""
        ...
    def div_mod(a: int, b: int, /) -> tuple[int, int]:
        """Return quotient and remainder, rounded down."""
        ...
    def invert(names: Mapping[str, str], /) -> Mapping[str, Any]:
        """Swap the keys and values of a dict."""
        ...
    def join(words: Sequence[str], separator: str = ' ') -> str:
        """Join words with a separator."""
        ...
    def raise_error(message: str, /) -> None:
        """Raise a RuntimeError with this message."""
        ...
    def transform(f: Callable[..., Any], items: Sequence[Any], /) -> Sequence[Any]:
        """Call a function for each item."""
        ...
else:
    _ffi_join = join
    def join(words, separator=' '):
        """Join words with a separator."""
        return _ffi_join(words, separator)
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
        def __init__(self, a: int, b: int) -> None:
            """Make a pair."""
            ...
        def sum(self, /) -> int:
            """Return the sum of both numbers."""
            ...
        @staticmethod
        def swapped(pair: IntPair, /) -> IntPair:
            """Return a pair with the numbers swapped."""
            ...
    else:
        def __init__(self, a, b):
            self.__ffi_init__(a, b)
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
