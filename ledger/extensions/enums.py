"""Sees an enumeration of C++ from Python."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi
from tvm_ffi.dataclasses import Enum

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""

    class Color(Enum, type_key="matrix.Color"):
        """What C++ has defined."""

    red, blue = Color.get("red"), Color.get("blue")
    assert not red.same_as(blue)
    assert red.same_as(Color.get("red"))
    assert [library.is_color(color) for color in Color.all_entries()] == [True, True]
    wavelength = Color.def_attr("wavelength")
    assert [wavelength[color] for color in (red, blue)] == [700, 450]


use()
