"""Has C++ fail in the depth, and say where."""

from __future__ import annotations

import gc
import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    node = library.make
    assert library.visit(node([1, node([2, node([3])])])) == 6
    assert library.where(node([1, node([2])])) == "none"
    assert library.where(node([1, node([2, node(["x"])])])) == "/items/1/items/1"
    try:
        library.visit(node([node(["x"])]))
    except ValueError as error:
        assert "no number" in str(error)
        # What says where, for all who know of it.
        context = getattr(error.__tvm_ffi_error__, "extra_context", None)  # type: ignore[attr-defined]
        assert context is None or "VisitErrorContext" in str(type(context))
    else:
        raise AssertionError("no error")


use()
gc.collect()
