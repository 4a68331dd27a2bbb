"""Has C++ look up entries of its enumeration, and sees them from Python where that knows of enumerations."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi
from tvm_ffi import dataclasses

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    red, blue = library.color("red"), library.color("blue")
    assert red.same_as(library.color("red"))
    assert not red.same_as(blue)
    assert [library.is_color(color) for color in (red, blue)] == [True, True]
    assert not library.is_color(tvm_ffi.Array([]))
    if hasattr(dataclasses, "Enum"):

        class Color(dataclasses.Enum, type_key="matrix.Color"):
            """What C++ has defined."""

        assert red.same_as(Color.get("red"))
        assert len(list(Color.all_entries())) == 2
        wavelength = Color.def_attr("wavelength")
        assert [wavelength[color] for color in (red, blue)] == [700, 450]


use()
