"""Runs one part of the example: ``python run_example.py add_one``."""

from __future__ import annotations

import argparse

import my_ffi_extension as ext
import numpy as np


def add_one() -> None:
    """Call a C symbol with tensors that belong to numpy."""
    x = np.array([1, 2, 3, 4, 5], dtype=np.float32)
    y = np.empty_like(x)
    ext.add_one(x, y)
    print(y)


def add_one_torch() -> None:
    """Do the same with torch."""
    import torch  # noqa: PLC0415  (the other parts do not need it)

    x = torch.tensor([1, 2, 3, 4, 5], dtype=torch.float32)
    y = torch.empty_like(x)
    ext.add_one(x, y)
    print(y)


def int_pair() -> None:
    """Make an object whose fields and methods are C++."""
    pair = ext.IntPair(1, 2)
    pair.a = 40
    print(pair.a, pair.b, pair.sum(), ext.IntPair.swapped(pair).a)


def containers() -> None:
    """Pass strings, lists and dicts, and get them back."""
    print(ext.join(["a", "b"], "-"), dict(ext.count_words("to be or not to be")), tuple(ext.div_mod(-7, 2)))


def callback() -> None:
    """Let C++ call a Python function."""
    print(list(ext.transform(lambda item: item * 2, [1, 2.5, "ab"])))


def raise_error() -> None:
    """Let C++ raise; the traceback names its file and line."""
    ext.raise_error("error happens")


PARTS = {part.__name__: part for part in (add_one, add_one_torch, int_pair, containers, callback, raise_error)}


def main() -> None:
    """Run the part that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    PARTS[parser.parse_args().part]()


if __name__ == "__main__":
    main()
