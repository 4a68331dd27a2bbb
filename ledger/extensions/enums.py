"""Sees an enumeration of C++ from Python where that knows of enumerations, and has C++ look up entries of it."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi
from tvm_ffi import dataclasses

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    if hasattr(dataclasses, "Enum"):
        # Before the first entry gets here, which else is of a class that the runtime makes up.
        class Color(dataclasses.Enum, type_key="matrix.Color"):
            """What C++ has defined."""

        assert Color.get("red").same_as(library.color("red"))
        assert len(list(Color.all_entries())) == 2
        wavelength = Color.def_attr("wavelength")
        assert [wavelength[Color.get(name)] for name in ("red", "blue")] == [700, 450]
    red, blue = library.color("red"), library.color("blue")
    assert red.same_as(library.color("red"))
    assert not red.same_as(blue)
    assert [library.is_color(color) for color in (red, blue)] == [True, True]
    assert not library.is_color(tvm_ffi.Array([]))


use()
