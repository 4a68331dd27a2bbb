"""Has C++ look at values to the bottom."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    value = tvm_ffi.convert([1, "x", [2.5, None]])
    copy = library.copied(value)
    assert library.equal(copy, value)
    assert library.hash(copy) == library.hash(value)
    assert not library.equal(value, [1, "x"])
    assert library.less([1, 2], [1, 3])
    assert not library.less([1, 3], [1, 2])
    assert "2.5" in library.printed(value)


use()
