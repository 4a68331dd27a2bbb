"""Has C++ look for attributes of types."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    apple, pear, stone = (library.made(number) for number in range(3))
    assert [library.price(thing) for thing in (apple, pear, stone)] == [3, 4, None]
    assert library.price(tvm_ffi.Array([1])) is None
    assert [library.weighed(thing, 10) for thing in (apple, pear, stone)] == [None, 20, None]


use()
