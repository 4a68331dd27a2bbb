"""The answer of every reader, and what they read it with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap

__all__ = ["Imports", "c_string"]

# Longer than any mangled name that compilers make; a damaged table must not make us read a gigabyte.
_LONGEST_NAME = 1 << 16


@dataclass(frozen=True)
class Imports:
    """What a library needs.

    Attributes:
        libraries: Names of the libraries, as the file spells them.
        symbols: Names of the symbols, without the underscore that Mach-O puts before a C name.

    """

    libraries: tuple[str, ...]
    symbols: tuple[str, ...]


def c_string(data: mmap.mmap, offset: int) -> str:
    """Return the NUL-terminated string at an offset.

    Raises:
        ValueError: The offset lies outside of the file, or no NUL follows.

    """
    if not 0 <= offset < len(data):
        raise ValueError(offset)
    end = data.find(b"\0", offset, offset + _LONGEST_NAME)
    if end < 0:
        raise ValueError(offset)
    return data[offset:end].decode("utf-8", "replace")
