"""Which C symbols glibc and GCC's libraries export, for symbols that a library imports without a version.

A library that is linked to glibc asks for its symbols with a version. One that was linked without ``-lpthread``, say,
asks without, and finds them in Python's process all the same.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["DATA", "read_system_symbols"]

# Written by ledger/system_symbols.py.
DATA = Path(__file__).with_suffix(".txt")


@cache
def read_system_symbols() -> frozenset[str]:
    """Return the C names that any version of these libraries exports, on any architecture."""
    return frozenset(DATA.read_text(encoding="ascii").split())
