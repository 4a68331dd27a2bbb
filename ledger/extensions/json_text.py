"""Has JSON read and written."""

from __future__ import annotations

import json
import sys

import tvm_ffi

library = tvm_ffi.load_module(sys.argv[1])

VALUE = {"numbers": [1, -2.5, 1e300], "words": {"true": True, "none": None}, "text": 'ünï " \\ \n', "empty": [{}, []]}


def use() -> None:
    """Use all, and leave nothing."""
    text = json.dumps(VALUE)
    assert json.loads(library.compact(text)) == VALUE
    assert " " not in library.compact('{"a" : [ 1 , 2 ] }')
    assert library.indented("[1]", 3) == "[\n   1\n]"
    assert json.loads(library.indented(text, 2)) == VALUE
    assert library.problem("[1]") == "none"
    assert library.problem("[1,") != "none"
    assert list(library.read("[1, true, null]")) == [1, True, None]
    assert dict(library.read('{"a": 1}').items()) == {"a": 1}
    assert json.loads(library.written({"a": [1, {"b": None}]})) == {"a": [1, {"b": None}]}
    try:
        library.read("{")
    except ValueError:
        pass
    else:
        raise AssertionError("no error")


use()
