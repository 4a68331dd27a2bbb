"""Compares, hashes and copies values and trees."""

from __future__ import annotations

import gc
import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    for value in ([1, "x", None], {"a": [1.5, {"b": True}]}, "text", 3):
        again = library.copied(value)
        assert library.equal(value, again)
        assert library.same_hash(value, again)
    assert not library.equal([1, 2], [1, 3])
    assert not library.equal({"a": 1}, {"b": 1})

    leaf = library.make("leaf", [], 1)
    tree = library.make("root", [leaf, leaf], 2)
    assert library.size(tree) == 3
    assert library.equal(tree, library.make("root", [library.make("leaf", [], 7), leaf], 8))
    assert library.same_hash(tree, library.make("root", [library.make("leaf", [], 7), leaf], 8))
    assert not library.equal(tree, library.make("root", [leaf], 2))
    assert not library.equal(tree, leaf)
    copy = library.copied(tree)
    assert library.equal(copy, tree)
    assert (library.label(copy), library.size(copy), copy.note) == ("root", 3, 2)
    # By the runtime's own serialization.
    text = tvm_ffi.serialization.to_json_graph_str(tree)
    assert library.size(tvm_ffi.serialization.from_json_graph_str(text)) == 3


use()
gc.collect()
