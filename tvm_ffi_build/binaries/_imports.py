"""The answer of every reader, and what they take names out of a file with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import mmap

__all__ = ["Imports", "Names"]

# Longer than any mangled name that compilers make.
_LONGEST_NAME = 1 << 16


class Imports(NamedTuple):
    """What a library needs.

    Attributes:
        libraries: Names of the libraries, as the file spells them.
        symbols: Names of the symbols, without the underscore that Mach-O puts before a C name.

    """

    libraries: tuple[str, ...]
    symbols: tuple[str, ...]


class Names:
    """Takes NUL-terminated strings out of a file, and notices when a file makes work out of nothing.

    Tables of a hostile file may name the same bytes over and over. An honest one shares the ends of some names, so the
    sum of their lengths stays near the file's size; four times that is the limit, and each name counts for a few bytes
    more than it has.
    """

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._left = 4 * len(data)

    def at(self, offset: int) -> str:
        """Return the string at an offset.

        Raises:
            ValueError: The offset lies outside of the file, no NUL follows, or the file asks for too much.

        """
        if not 0 <= offset < len(self._data):
            raise ValueError(offset)
        end = self._data.find(b"\0", offset, offset + _LONGEST_NAME)
        if end < 0:
            raise ValueError(offset)
        self._left -= end - offset + 8
        if self._left < 0:
            raise ValueError(self._left)
        return self._data[offset:end].decode("utf-8", "replace")
