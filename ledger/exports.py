"""What the runtime's library exports, as what it means to and what it leaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tvm_ffi_build.binaries import read_binary

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["c_symbols", "cxx_symbols", "leaked_symbols"]

# The Itanium ABI's mangling; letters before the name say what of it this is: a method, a vtable, a static variable.
_OWN = re.compile(r"_Z[A-Z]*3tvm3ffi")
# Leaked are hundreds, of very long names. This much of one tells which class it is of.
_LONGEST = 40


def c_symbols(library: Path) -> set[str]:
    """Return the functions of the C ABI."""
    return {name for name in read_binary(library).exported if name.startswith("TVMFFI")}


def cxx_symbols(library: Path) -> set[str]:
    """Return what is declared in the namespace ``tvm::ffi``."""
    return {name for name in read_binary(library).exported if _OWN.match(name)}


def leaked_symbols(library: Path) -> set[str]:
    """Return what belongs to others: linked-in parts of the C++ library. A long name is cut and ends in ``*``."""
    names = set(read_binary(library).exported) - c_symbols(library) - cxx_symbols(library) - {"_init", "_fini"}
    return {name if len(name) <= _LONGEST else f"{name[:_LONGEST]}*" for name in names}
