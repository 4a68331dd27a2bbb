"""ELF: System V ABI, chapter 5, "Program Loading and Dynamic Linking".

Read as the dynamic linker does, by the program headers: the section headers are for other tools, and a library works
without them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from ._imports import Imports, Names

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

__all__ = ["exports", "imports", "matches"]

_PT_LOAD = 1
_PT_DYNAMIC = 2
_DT_NULL = 0
_DT_NEEDED = 1
_DT_HASH = 4
_DT_STRTAB = 5
_DT_SYMTAB = 6
_DT_GNU_HASH = 0x6FFFFEF5
_SHN_UNDEF = 0
_STB_LOCAL = 0


def matches(data: mmap.mmap) -> bool:
    """Say whether this is an ELF file."""
    return data[:4] == b"\x7fELF"


def imports(data: mmap.mmap) -> Imports:
    """Return DT_NEEDED and the undefined dynamic symbols.

    Raises:
        struct.error, ValueError, IndexError: The file is damaged, or no shared library.

    """
    image = _Image.of(data)
    needed, tables = image.dynamic_tables()
    names = Names(data)
    strings = image.offset(tables[_DT_STRTAB])
    libraries = [names.at(strings + name) for name in needed]
    symbols = [names.at(strings + name) for name in image.undefined(tables)]
    return Imports(tuple(libraries), tuple(symbols))


def exports(data: mmap.mmap) -> tuple[str, ...]:
    """Return the defined dynamic symbols.

    Raises:
        struct.error, ValueError, IndexError: The file is damaged, or no shared library.

    """
    image = _Image.of(data)
    _, tables = image.dynamic_tables()
    names = Names(data)
    strings = image.offset(tables[_DT_STRTAB])
    return tuple(names.at(strings + name) for name in image.defined(tables))


class _Image(NamedTuple):
    """The headers of an ELF file.

    Attributes:
        data: The file.
        order: Byte order, as :mod:`struct` writes it.
        is_64: ELFCLASS64 and not ELFCLASS32.
        segments: Type, offset in the file, address and size in the file of each segment.

    """

    data: mmap.mmap
    order: str
    is_64: bool
    segments: tuple[tuple[int, int, int, int], ...]

    @classmethod
    def of(cls, data: mmap.mmap) -> _Image:
        is_64 = {1: False, 2: True}[data[4]]
        order = {1: "<", 2: ">"}[data[5]]
        if is_64:
            (offset,) = struct.unpack_from(order + "Q", data, 0x20)
            size, count = struct.unpack_from(order + "HH", data, 0x36)
            rows = (struct.unpack_from(order + "IIQQQQ", data, offset + i * size) for i in range(count))
            segments = tuple((kind, start, address, length) for kind, _, start, address, _, length in rows)
        else:
            (offset,) = struct.unpack_from(order + "I", data, 0x1C)
            size, count = struct.unpack_from(order + "HH", data, 0x2A)
            rows = (struct.unpack_from(order + "IIIII", data, offset + i * size) for i in range(count))
            segments = tuple((kind, start, address, length) for kind, start, address, _, length in rows)
        return cls(data, order, is_64, segments)

    def offset(self, address: int) -> int:
        """Return where in the file an address is."""
        for kind, start, first, length in self.segments:
            if kind == _PT_LOAD and first <= address < first + length:
                return address - first + start
        raise ValueError(address)

    def dynamic(self) -> Iterator[tuple[int, int]]:
        """Yield the tags and values of the dynamic section."""
        row = struct.Struct(self.order + ("qQ" if self.is_64 else "iI"))
        for kind, start, _, length in self.segments:
            if kind == _PT_DYNAMIC:
                for position in range(start, start + length - row.size + 1, row.size):
                    tag, value = row.unpack_from(self.data, position)
                    if tag == _DT_NULL:
                        break
                    yield tag, value
                return
        raise ValueError("not a shared library")

    def dynamic_tables(self) -> tuple[list[int], dict[int, int]]:
        """Return where the names of the needed libraries are, and the other entries of the dynamic section."""
        needed: list[int] = []
        tables: dict[int, int] = {}
        for tag, value in self.dynamic():
            if tag == _DT_NEEDED:
                needed.append(value)
            else:
                tables[tag] = value
        if _DT_STRTAB not in tables:
            raise ValueError("not a shared library")
        return needed, tables

    def undefined(self, tables: dict[int, int]) -> Iterator[int]:
        """Yield where in the string table the names of undefined symbols are."""
        last = self._first_defined(tables) if _DT_GNU_HASH in tables else self._chains(tables)
        for name, _, section in self._symbols(tables, 0, last):
            if section == _SHN_UNDEF and name:
                yield name

    def defined(self, tables: dict[int, int]) -> Iterator[int]:
        """Yield where in the string table the names of the symbols are that others can bind to."""
        first, last = 0, 0
        if _DT_GNU_HASH in tables:
            first, last = self._first_defined(tables), self._last_defined(tables)
        else:
            last = self._chains(tables)
        for name, info, section in self._symbols(tables, first, last):
            if section != _SHN_UNDEF and name and info >> 4 != _STB_LOCAL:
                yield name

    def _symbols(self, tables: dict[int, int], first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """Yield name, info and section of the symbols from one to before another."""
        # 64-bit: name, info, other, shndx, value, size; 32-bit: name, value, size, info, other, shndx.
        symbol = struct.Struct(self.order + ("IBBHQQ" if self.is_64 else "IIIBBH"))
        info_of, section_of = (1, 3) if self.is_64 else (3, 5)
        start = self.offset(tables[_DT_SYMTAB])
        for index in range(first, last):
            row = symbol.unpack_from(self.data, start + index * symbol.size)
            yield row[0], row[info_of], row[section_of]

    # No table says how many symbols there are in all; those for looking them up do, in their ways.

    def _chains(self, tables: dict[int, int]) -> int:
        # DT_HASH has a chain for each symbol; their number is the second word.
        (count,) = struct.unpack_from(self.order + "I", self.data, self.offset(tables[_DT_HASH]) + 4)
        return int(count)

    def _first_defined(self, tables: dict[int, int]) -> int:
        # The second word of DT_GNU_HASH: after all symbols that cannot be looked up, such as the undefined.
        (first,) = struct.unpack_from(self.order + "I", self.data, self.offset(tables[_DT_GNU_HASH]) + 4)
        return int(first)

    def _last_defined(self, tables: dict[int, int]) -> int:
        """Return the number after the last symbol that DT_GNU_HASH knows: where the last bucket's chain ends."""
        start = self.offset(tables[_DT_GNU_HASH])
        bucket_count, first, bloom_words, _ = struct.unpack_from(self.order + "4I", self.data, start)
        buckets = start + 16 + bloom_words * (8 if self.is_64 else 4)
        last = max(struct.unpack_from(f"{self.order}{bucket_count}I", self.data, buckets), default=0)
        if last < first:
            return int(first)
        chains = buckets + bucket_count * 4
        while True:
            (value,) = struct.unpack_from(self.order + "I", self.data, chains + (last - first) * 4)
            last += 1
            if value & 1:  # marks the end of a chain
                return int(last)
