"""The functions that the library registers as ``my_ffi_extension.*``, put into this module when it is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tvm_ffi

from .base import LIB

__all__ = ["LIB", "count_words", "div_mod", "invert", "join", "raise_error", "transform"]

# The library registers its functions when it is loaded, which importing LIB did.
tvm_ffi.init_ffi_api("my_ffi_extension", __name__)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Callable

    def raise_error(message: str, /) -> None: ...
    def join(words: Sequence[str], separator: str, /) -> str: ...
    def count_words(text: str, /) -> Mapping[str, int]: ...
    def div_mod(a: int, b: int, /) -> tuple[int, int]: ...
    def invert(names: Mapping[str, str], /) -> Mapping[str, str]: ...
    def transform(function: Callable[[Any], Any], items: Sequence[Any], /) -> Sequence[Any]: ...
