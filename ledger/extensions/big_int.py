"""Counts with small and large numbers."""

from __future__ import annotations

import math
import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    assert library.add(1, 2) == 3
    assert list(library.both(5)) == [5, -5]
    for number in (5, 21, 100):
        assert library.factorial(number) == math.factorial(number)
    assert library.add(2**63 - 1, 1) == 2**63
    assert library.add(-(2**100), 2**100 + 7) == 7


use()
