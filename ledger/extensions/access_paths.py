"""Passes access paths both ways."""

from __future__ import annotations

import gc
import sys
from typing import Any

import tvm_ffi
from tvm_ffi.access_path import AccessKind, AccessPath

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    # Made and read in C++.
    path = library.make("name", 3)
    assert library.describe(path) == "/0:name/1:3/2:key"
    # Made in C++, read by the runtime.
    assert [(step.kind, step.key) for step in path.to_steps()] == [
        (AccessKind.ATTR, "name"),
        (AccessKind.ARRAY_ITEM, 3),
        (AccessKind.MAP_ITEM, "key"),
    ]
    assert path == library.make("name", 3)
    assert path.attr("x") != path
    assert library.is_prefix(path, path.attr("x"))
    # Made by the runtime, read in C++.
    other = AccessPath.root().attr("name").array_item(3).map_item("key")
    assert library.describe(other) == "/0:name/1:3/2:key"
    assert library.equal(other, path)
    assert library.describe(AccessPath.root()) == ""
    assert not library.equal(AccessPath.root(), path)
    assert path == other


use()
gc.collect()
