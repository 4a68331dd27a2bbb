"""Passes containers to C++ and looks into what comes back."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    assert list(library.reversed_array([1, "a", None])) == [None, "a", 1]
    assert list(library.reversed_array([])) == []
    array = tvm_ffi.Array([1, 2, 3])
    assert list(library.edited(array)) == [0, None, 3, None]
    assert list(array) == [1, 2, 3]
    assert library.sum([[1, 2], [], [3]]) == 6
    assert dict(library.counts(["a", "long " * 5, "a"]).items()) == {"a": 2, "long " * 5: 1}
    assert dict(library.inverted({"a": 7, 2: "b", 2.5: None}).items()) == {7: "a", "b": 2, None: 2.5}
    large = {str(number): number for number in range(1000)}
    assert dict(library.inverted(library.inverted(large)).items()) == large
    assert list(library.inverted({"z": 3, "y": 2, "x": 1}).items()) == [(3, "z"), (2, "y"), (1, "x")]
    assert library.squares(1001) == sum(number**2 for number in range(1, 1001, 2)) + 500
    assert list(library.swapped(("a", 1))) == [1, "a", None]
    assert library.which(3) == "number 3"
    assert library.which("x") == "text x"
    assert library.which([1, 2]) == "array of 2"
    assert library.number_or(3, "x") == 3
    assert library.number_or(None, "a text that is long enough") == "a text that is long enough"
    assert list(library.either(True)) == [1, 2]
    assert dict(library.either(False).items()) == {"a": 1}
    assert library.filtered(None) is None
    assert list(library.filtered(["a", None, "long"])) == [None, "long"]
    assert tuple(library.doubled(tvm_ffi.Shape((1, 2, 3)))) == (2, 4, 6)
    nested = library.nested()
    assert nested["none"] is None
    assert nested["map"]["x"] == 1.5
    assert [*list(nested["array"])[:2], len(nested["array"][2])] == [1, "two", 0]
    for name, wrong in (("sum", [["x"]]), ("swapped", ("a",)), ("which", 2.5)):
        try:
            library[name](wrong)
        except TypeError:
            continue
        raise AssertionError(name)


use()
