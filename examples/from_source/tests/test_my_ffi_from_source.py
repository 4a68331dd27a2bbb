"""What the extension promises, on the installed wheel."""

from __future__ import annotations

import my_ffi_from_source as ext
import numpy as np
import pytest


def test_scale_works_in_place_and_obeys_strides() -> None:
    x = np.arange(6, dtype=np.float32)
    ext.scale(x[::2], 10)
    assert x.tolist() == [0, 1, 20, 3, 40, 5]


def test_scale_refuses_what_it_cannot_do() -> None:
    with pytest.raises(TypeError, match="scale takes a one-dimensional float32 tensor"):
        ext.scale(np.zeros((1, 3), np.float32), 2)
