"""Has C++ set fields of a class that is defined in C++, and of one that is defined in Python where that can be."""

from __future__ import annotations

import gc
import sys
from typing import Any

import tvm_ffi
from tvm_ffi import dataclasses

library: Any = tvm_ffi.load_module(sys.argv[1])


def change(made: Any) -> None:
    """Change an object through C++."""
    assert library.fields(made) == 2
    library.set(made, "x", 42)
    library.set(made, "label", "a text that is long enough")
    assert library.get(made, "x") == 42
    assert library.get(made, "label") == "a text that is long enough"
    try:
        library.set(made, "x", "no number")
    except (TypeError, RuntimeError):
        # Of one kind or the other, by who sets the field.
        pass
    else:
        raise AssertionError("the wrong type was taken")
    assert library.get(made, "x") == 42


def use() -> None:
    """Use all, and leave nothing."""
    change(library.make())
    if hasattr(dataclasses, "py_class"):

        @dataclasses.py_class("matrix.PythonPoint")
        class PythonPoint(tvm_ffi.Object):
            """A class that the runtime learns from here."""

            x: int
            label: str

        made = PythonPoint(1, "short")
        change(made)
        assert (made.x, made.label) == (42, "a text that is long enough")


use()
gc.collect()
