"""Has C++ deal with errors that are returned and not thrown."""

from __future__ import annotations

import gc
import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def fail(_: int) -> None:
    """Raise something."""
    raise IndexError("from Python")


def use() -> None:
    """Use all, and leave nothing."""
    assert [library.quarter(number) for number in (8, 6, 5)] == ["2", "-1", "5 is odd"]
    assert library.called(lambda x: x + 1, 1) == "2"
    assert library.called(fail, 1) == "IndexError: from Python"
    assert library.called(lambda _: "text", 1).startswith("TypeError")


use()
gc.collect()
