"""What the extension promises, on the installed wheel."""

from __future__ import annotations

import re
import traceback
from typing import Any

import my_ffi_extension as ext
import numpy as np
import pytest
import tvm_ffi


def test_add_one_writes_into_the_callers_tensor() -> None:
    x = np.array([1, 2, 3], dtype=np.float32)
    y = np.zeros_like(x)
    ext.add_one(x, y)
    assert y.tolist() == [2, 3, 4]


def test_add_one_obeys_strides() -> None:
    x = np.arange(6, dtype=np.float32)[::2]
    y = np.zeros(6, dtype=np.float32)
    ext.add_one(x, y[1::2])
    assert y.tolist() == [0, 1, 0, 3, 0, 5]


@pytest.mark.parametrize(
    ("x", "y", "error"),
    [
        (np.zeros(3), np.zeros(3, np.float32), TypeError),
        (np.zeros((1, 3), np.float32), np.zeros(3, np.float32), TypeError),
        (np.zeros(3, np.float32), np.zeros(4, np.float32), ValueError),
    ],
)
def test_add_one_refuses_what_it_cannot_do(x: Any, y: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="add_one"):
        ext.add_one(x, y)


def test_strings_and_containers_go_both_ways() -> None:
    assert ext.join(["grün", "", "c"], ", ") == "grün, , c"
    assert dict(ext.count_words("to be or not to be")) == {"to": 2, "be": 2, "or": 1, "not": 1}
    assert dict(ext.invert({"one": "eins"})) == {"eins": "one"}
    assert tuple(ext.div_mod(-7, 2)) == divmod(-7, 2)


def test_registered_functions_are_found_by_name() -> None:
    assert tvm_ffi.get_global_func("my_ffi_extension.join")(["a", "b"], "-") == "a-b"


def test_an_object_has_fields_methods_and_a_constructor() -> None:
    pair = ext.IntPair(3, 4)
    assert (pair.a, pair.b, pair.sum()) == (3, 4, 7)
    pair.a = 10
    assert pair.sum() == 14
    swapped = ext.IntPair.swapped(pair)
    assert isinstance(swapped, ext.IntPair)
    assert (swapped.a, swapped.b) == (4, 10)


def test_python_functions_are_called_back() -> None:
    pairs = ext.transform(lambda item: [item, item], [1, "a", None])
    assert [list(pair) for pair in pairs] == [[1, 1], ["a", "a"], [None, None]]


def test_an_error_in_a_callback_comes_out_at_the_caller() -> None:
    def fail(item: object) -> None:
        raise KeyError(f"no {item}")

    with pytest.raises(KeyError, match="no 1"):
        ext.transform(fail, [1])


def test_a_cxx_error_names_its_file_and_line_in_the_traceback() -> None:
    with pytest.raises(RuntimeError, match="error happens") as caught:
        ext.raise_error("error happens")
    text = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert re.search(r'File "src[/\\]extension\.cc", line \d+, in .*RaiseError', text)
