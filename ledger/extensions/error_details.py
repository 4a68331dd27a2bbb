"""Has C++ say what it finds in errors."""

from __future__ import annotations

import gc
import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def fail() -> None:
    """Raise something."""
    raise IndexError("from Python")


def use() -> None:
    """Use all, and leave nothing."""
    assert library.own() == "ValueError(outer because of ValueError(inner) with 3)"
    assert library.caught(lambda: None) == "none"
    assert library.caught(fail) == "IndexError(from Python)"
    # From C++ by way of Python to C++.
    chain = library.caught(lambda: library.throw_with_cause("again"))
    assert chain == "ValueError(again because of ValueError(the cause) with 1)"
    # Of the runtime itself.
    assert library.caught(tvm_ffi.convert(len)).startswith("TypeError(")
    try:
        library.throw_with_cause("to Python")
    except ValueError as error:
        assert str(error) == "to Python"
        context = getattr(error.__tvm_ffi_error__, "extra_context", None)  # type: ignore[attr-defined]
        assert context is None or list(context) == [7]
    else:
        raise AssertionError("no error")


use()
gc.collect()
