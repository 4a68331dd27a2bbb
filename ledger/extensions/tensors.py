"""Hands arrays of numpy to C++ and back, contiguous and not."""

from __future__ import annotations

import gc
import sys
from typing import Any

import numpy as np
import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def array(tensor: Any) -> np.ndarray:
    """Return the same memory as an array of numpy."""
    return np.from_dlpack(tensor)


def use() -> None:
    """Use tensors, of which none is left then."""
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    result = np.zeros((3, 2), dtype=np.float32)
    library.transpose(tvm_ffi.from_dlpack(numbers), tvm_ffi.from_dlpack(result))
    assert (result == numbers.T).all()
    wide = np.zeros((6, 4), dtype=np.float32)
    library.transpose(tvm_ffi.from_dlpack(numbers), tvm_ffi.from_dlpack(wide[::2, 1:3]))
    assert (wide[::2, 1:3] == numbers.T).all()
    assert wide.sum() == numbers.sum()
    try:
        library.transpose(tvm_ffi.from_dlpack(numbers), tvm_ffi.from_dlpack(numbers))
    except ValueError as error:
        assert "do not fit" in str(error)
    else:
        raise AssertionError("no error")

    filled = library.filled(tvm_ffi.Shape((2, 2)), 1.5)
    assert library.allocated() == 1
    assert (array(filled) == np.full((2, 2), 1.5)).all()
    assert tuple(filled.shape) == (2, 2)
    assert str(filled.dtype) == "float32"
    for way in ("same", "exported", "exported_as_before", "kept"):
        assert (array(library[way](filled)) == 1.5).all(), way
    assert library.allocated() == 1
    assert (array(library.kept(None)) == 1.5).all()
    given = tvm_ffi.from_dlpack(numbers)
    assert tuple(library.shape_of(given)) == (2, 3)
    assert library.elements(given) == 6
    assert library.elements(None) == -1
    assert library.references(None) == 0
    assert library.references(given) > 0
    assert library.contiguous(given)
    for kind in ("int8", "uint16", "int64", "float64"):
        assert str(library.type_of(tvm_ffi.from_dlpack(np.zeros(3, dtype=kind)))) == kind
    assert array(library.filled(tvm_ffi.Shape((0, 3)), 1)).shape == (0, 3)
    assert array(library.filled(tvm_ffi.Shape(()), 7)) == 7
    assert library.no_stream()


use()
gc.collect()
assert library.allocated() == 0
