"""Has C++ call functions of a module: its own."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    for _ in range(3):
        assert library.call(library, "twice", 21) == 42
    assert library.call(library, "there_is_none", 21) == "none"
    assert library.kind_of(library) == "library"


use()
