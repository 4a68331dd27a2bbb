"""Has C++ call functions of Python, closures of C++, and functions that fail."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


class LostError(LookupError):
    """An error that the runtime does not know."""


def fail(*_: object) -> None:
    """Raise what the runtime knows."""
    raise IndexError("out of range")


def fail_oddly() -> None:
    """Raise what the runtime does not know."""
    raise LostError("somewhere")


# C++ does not keep what it has called.
class Callback:
    """Something to see the end of."""

    def __call__(self) -> None:
        """Do nothing."""


def use() -> None:
    """Use all, and leave nothing."""
    assert list(library.each(lambda x: x, [1, "a", None, 2.5])) == [1, "a", None, 2.5]
    assert list(library.each(lambda x: library.fold(lambda a, b: a + b, [x, x]), [1, 2])) == [2, 4]
    assert library.fold(lambda a, b: 10 * a + b, [1, 2, 3]) == 123
    assert library.greet(lambda name, title: f"{title} {name}", "Ada") == "None Ada"
    count: list[int] = []
    library.times(lambda: count.append(1), 1000)
    assert len(count) == 1000
    adder = library.adder(2)
    assert [adder(1), library.adder(5)(adder(1))] == [3, 8]
    assert library.composed(lambda x: -x, lambda x, y: x * y)(6, 7) == -42
    assert library.composed(adder, adder)(1) == 5

    library.register_function("matrix.negated", lambda x: -x)
    assert library.global_function("matrix.negated", 3) == -3
    assert tvm_ffi.get_global_func("matrix.negated")(4) == -4
    assert library.global_function("matrix.there_is_none", 3) == "none"

    assert library.caught(lambda: None) == "none"
    assert library.caught(fail) == "IndexError: out of range"
    assert library.caught(fail_oddly).endswith("somewhere")
    assert library.or_else(fail, "plan B") == "plan B"
    failures: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
        ("each", (fail, [1]), IndexError, "out of range"),
        ("each", (lambda x: library.each(fail, [x]), [1]), IndexError, "out of range"),
        ("translated", (fail,), ValueError, "instead of IndexError"),
        ("fold", (lambda *_: "no number", [1]), TypeError, ""),
    ]
    for name, arguments, kind, text in failures:
        try:
            library[name](*arguments)
        except kind as error:
            assert text in str(error)
        else:
            raise AssertionError(name)

    callback = Callback()
    gone = weakref.ref(callback)
    library.times(callback, 1)
    del callback
    gc.collect()
    assert gone() is None


use()
