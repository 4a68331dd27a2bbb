"""Compares equal and different values."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    assert library.differ([1, 2], [1, 2]) == -1
    assert library.differ([1, 2], [1, 3]) == 1
    assert library.differ([1, 2], [1]) == 1
    assert library.differ({"a": [1, "x"]}, {"a": [1, "x"]}) == -1
    assert library.differ({"a": [1, "x"]}, {"a": [1, "y"]}) == 1
    assert library.differ("text", "text") == -1


use()
