"""Uses a module of a kind that an extension has made up, as any other."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    module = library.make(3)
    assert isinstance(module, tvm_ffi.Module)
    assert module.kind == "multiplier"
    assert library.kind_of(library) == "library"
    assert module["times"](14) == 42
    assert module.get_function("times")(2) == 6
    assert module.implements_function("times")
    assert not module.implements_function("plus")
    try:
        module["plus"]
    except AttributeError:
        pass
    else:
        raise AssertionError("there is a function that is not there")
    assert module.is_runnable()
    assert not module.is_binary_serializable()
    assert list(module.get_write_formats()) == ["text"]
    assert module.inspect_source() == "x * 3"
    other = library.make(5)
    other.import_module(module)
    assert [imported.kind for imported in other.imports] == ["multiplier"]
    assert other.get_function("times", query_imports=True)(2) == 10
    other.clear_imports()
    assert list(other.imports) == []
    library.import_module(module)
    assert library.get_function("times", query_imports=True)(2) == 6
    library.clear_imports()


use()
