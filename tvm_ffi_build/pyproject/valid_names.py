"""What the names of distributions and of CMake targets may be: they become parts of paths and of generated code."""

from __future__ import annotations

import re

__all__ = ["is_distribution_name", "is_target_name"]

# PEP 508, which is how PEP 621 says what a project may be called.
_DISTRIBUTION = re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE | re.ASCII)
# What CMake accepts for a target that is built (policy CMP0037). Without a dot in front: a file of that name is hidden.
_TARGET = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*", re.ASCII)


def is_distribution_name(text: str) -> bool:
    """Return whether a distribution can have a name.

    >>> is_distribution_name("My.kernels-2"), is_distribution_name("a b"), is_distribution_name("x{y}")
    (True, False, False)
    """
    return _DISTRIBUTION.fullmatch(text) is not None


def is_target_name(text: str) -> bool:
    """Return whether a CMake target can have a name.

    >>> is_target_name("my_lib-2.0"), is_target_name("../evil"), is_target_name("a::b")
    (True, False, False)
    """
    return _TARGET.fullmatch(text) is not None
