"""Calls C code, and has it call back."""

from __future__ import annotations

import sys

import numpy as np
import tvm_ffi

library = tvm_ffi.load_module(sys.argv[1])


def error_of(name: str, *arguments: object) -> Exception | None:
    """Return what a function raises."""
    try:
        library[name](*arguments)
    except Exception as error:  # noqa: BLE001
        return error
    return None


def fail() -> None:
    """Raise something."""
    raise IndexError("from Python")


def use() -> None:
    """Use all, and leave nothing."""
    assert library.add_two(40) == 42
    assert isinstance(error_of("add_two", "40"), TypeError)
    assert library.half(5.0) == 2.5
    for text in ("", "short", "a text that is longer than a register"):
        assert library.reversed(text) == text[::-1]

    error = error_of("fail")
    assert isinstance(error, ValueError)
    assert str(error) == "one two three"
    error = error_of("fail_with_object")
    assert isinstance(error, KeyError)
    assert "no such key" in str(error)
    # Of errors that the runtime has made itself it can say all that there is to say.
    assert getattr(error.__tvm_ffi_error__, "extra_context", None) is None  # type: ignore[attr-defined]

    assert library.call(tvm_ffi.convert(lambda x, y: x + y), "a", "b") == "ab"
    assert library.kind_raised(tvm_ffi.convert(fail)) == "IndexError"
    assert library.sum(tvm_ffi.from_dlpack(np.arange(5.0))) == 10.0
    counter = library.counter(5)
    assert [counter(), counter()] == [6, 7]
    library.register_counter(10)
    assert library.call_global("matrix.pure_c.count") == 11
    assert tvm_ffi.get_global_func("matrix.pure_c.count")() == 12
    assert error_of("call_global", "matrix.there_is_none") is not None
    for value in ("a text that is longer than a register", 3, None, counter):
        assert library.keep(value) == value
    assert library.keep(None) is None
    assert library.lanes("float32x4") == 4
    assert isinstance(error_of("lanes", "float?"), ValueError)
    assert library.type_index("ffi.Array") == 71
    assert library.fields("ffi.Array") == 0


use()
