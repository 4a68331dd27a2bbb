"""Calls functions with values at the edges of their types, and with the wrong ones."""

from __future__ import annotations

import sys

import tvm_ffi

library = tvm_ffi.load_module(sys.argv[1])


def refused(name: str, *arguments: object) -> bool:
    """Say whether a function refuses arguments, with an error that names it."""
    try:
        library[name](*arguments)
    except TypeError as error:
        return "rgument" in str(error)
    return False


def use() -> None:
    """Use all, and leave nothing."""
    assert library.add(40, 2) == 42
    assert library.add(-(2**63), 2**63 - 1) == -1
    assert library.half(5) == 2.5
    assert library.invert(True) is False
    assert library.nothing() is None
    assert library.twice("short") == "shortshort"
    assert (
        library.twice("a text that fits into no register, with ünïcödé 日本")
        == "a text that fits into no register, with ünïcödé 日本" * 2
    )
    assert library.twice("") == ""
    assert library.shout("hey") == "hey!"
    assert library.reversed_bytes(b"") == b""
    assert library.reversed_bytes(b"a\0b") == b"b\0a"
    assert library.reversed_bytes(bytes(range(256))) == bytes(range(255, -1, -1))
    assert library.or_else(None, 3) == 3
    assert library.or_else(0, 3) == 0
    assert library.non_empty("") is None
    assert library.non_empty("x" * 100) == "x" * 100
    assert abs(library.square_root_of(2.0, None) - 2**0.5) < 1e-12
    assert abs(library.square_root_of(2.0, True) + 2**0.5) < 1e-12
    assert library.square_root_of(None, False) is None
    for value in (None, True, 7, 2.5, "x", "long " * 20, b"bytes", b"long " * 20, tvm_ffi.device("cpu", 3)):
        assert library.same(value) == value, value
    assert str(library.vector(tvm_ffi.dtype("float16"), 4)) == "float16x4"
    assert library.next_device(tvm_ffi.device("cuda", 1)).index == 2
    assert [library.index_of_type(value) for value in (None, 1, True, 1.5)] == [0, 1, 2, 3]

    assert refused("add", 1)
    assert refused("add", 1, "2")
    assert refused("twice", 3)
    assert refused("or_else", "3", 3)
    assert refused("square_root_of", "2", None)

    assert tvm_ffi.get_global_func("matrix.add")(1, 2) == 3
    assert tvm_ffi.get_global_func("matrix.same")("x") == "x"
    assert tvm_ffi.get_global_func("matrix.count")(None, 1, "2", 3.0) == 4


use()
