"""Changes containers that C++ has made, and has C++ change them."""

from __future__ import annotations

import sys
from typing import Any

import tvm_ffi

library: Any = tvm_ffi.load_module(sys.argv[1])


def use() -> None:
    """Use all, and leave nothing."""
    assert library.inside(100) == 198
    items = library.make_list(3)
    assert list(items) == [0, 1, 2]
    library.append(items, "x")
    items.append(None)
    assert list(items) == [0, 1, 2, "x", None]
    library.edit(items)
    assert list(items) == ["first", None, 1, 2, "x"]
    items[0] = 7
    assert list(library.frozen(items)) == [7, None, 1, 2, "x"]
    assert library.sum(library.make_list(100)) == 4950
    assert library.sum([1, 2]) == 3
    pair = library.twice(items)
    library.append(pair[0], "shared")
    assert pair[1][-1] == "shared"

    mapping = library.make_dict(50)
    assert dict(mapping.items()) == {str(number): number for number in range(50)}
    library.put(mapping, "key", items)
    assert mapping["key"].same_as(items)
    mapping["other"] = 2.5
    assert library.drop(mapping, "other")
    assert not library.drop(mapping, "other")
    assert len(mapping) == 51


use()
