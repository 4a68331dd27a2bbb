"""Catches what C++ throws, and reads all that the runtime tells of it."""

from __future__ import annotations

import gc
import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


@tvm_ffi.register_error("MatrixError")
class MatrixError(RuntimeError):
    """A kind of our own."""


CASES: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("throw_value", (7,), ValueError, "the number 7 is wrong"),
    ("throw_own", (), MatrixError, "of a kind that Python learns"),
    ("throw_unknown", (), RuntimeError, "of a kind that nobody knows"),
    ("check", (41,), RuntimeError, "not the answer"),
    ("throw_made", ("KeyError", "a key"), KeyError, "a key"),
    ("throw_made", ("IndexError", "long " * 100), IndexError, "long " * 100),
    ("cast", ("x",), TypeError, ""),
    ("at", ([1, 2], 5), IndexError, ""),
    ("through", (lambda: library.throw_value(8),), ValueError, "the number 8 is wrong"),
]


def use() -> None:
    """Use all, and leave nothing."""
    library.check(42)
    for name, arguments, kind, text in CASES:
        try:
            library[name](*arguments)
        except kind as error:
            assert text in str(error), error
            known: Any = error.__tvm_ffi_error__  # type: ignore[attr-defined]
            assert text in known.message
            assert known.kind
            assert isinstance(known.backtrace, str)
            # Not known to old releases.
            assert getattr(known, "extra_context", None) is None
        else:
            raise AssertionError(name)
    try:
        library.throw_standard()
    except RuntimeError as error:
        assert "a standard exception" in str(error)


use()
gc.collect()
