"""PE: Microsoft's "PE Format", the export, the import and the delay-load import tables."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from ._imports import Imports, Names

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

__all__ = ["exports", "imports", "matches"]

_EXPORT_TABLE = 0
_IMPORT_TABLE = 1
_DELAY_IMPORT_TABLE = 13
# Windows loads no image with more.
_MOST_SECTIONS = 96


def matches(data: mmap.mmap) -> bool:
    """Say whether this is a PE file."""
    if data[:2] != b"MZ" or len(data) < 0x40:
        return False
    (start,) = struct.unpack_from("<I", data, 0x3C)
    return data[start : start + 4] == b"PE\0\0"


def imports(data: mmap.mmap) -> Imports:
    """Return the imported DLLs and symbols, delay-loaded ones included.

    A symbol that is imported by its number has no name here.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    image = _Image.of(data)
    names = Names(data)
    libraries: list[str] = []
    symbols: list[str] = []
    # Of a descriptor: its size, where in it the address of the DLL's name and of the table of names are.
    for table, size, name_at, names_at in ((_IMPORT_TABLE, 20, 12, 0), (_DELAY_IMPORT_TABLE, 32, 4, 16)):
        position = image.directory(table)
        while position is not None:
            (name,) = struct.unpack_from("<I", data, position + name_at)
            if not name:
                break
            (thunks,) = struct.unpack_from("<I", data, position + names_at)
            libraries.append(names.at(image.offset(name)))
            # The name follows a hint of two bytes.
            symbols.extend(names.at(image.offset(hint) + 2) for hint in image.hints(thunks))
            position += size
    return Imports(tuple(libraries), tuple(symbols))


def exports(data: mmap.mmap) -> tuple[str, ...]:
    """Return the symbols of the export table that have names.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    image = _Image.of(data)
    names = Names(data)
    table = image.directory(_EXPORT_TABLE)
    if table is None:
        return ()
    count, _, name_pointers = struct.unpack_from("<III", data, table + 24)
    if not count:
        return ()
    pointers = struct.iter_unpack("<I", data[(start := image.offset(name_pointers)) : start + 4 * count])
    return tuple(names.at(image.offset(pointer)) for (pointer,) in pointers)


class _Image(NamedTuple):
    """The headers of a PE file: where what lies.

    Attributes:
        data: The file.
        is_64: PE32+ and not PE32.
        directories: Offset of the data directories, whose number stands before them.
        sections: Virtual size, virtual address, raw size and raw offset of each section.

    """

    data: mmap.mmap
    is_64: bool
    directories: int
    sections: tuple[tuple[int, int, int, int], ...]

    @classmethod
    def of(cls, data: mmap.mmap) -> _Image:
        (start,) = struct.unpack_from("<I", data, 0x3C)
        section_count, optional_size = struct.unpack_from("<2xH12xH", data, start + 4)
        optional = start + 24
        (magic,) = struct.unpack_from("<H", data, optional)
        is_64 = {0x10B: False, 0x20B: True}.get(magic)
        if is_64 is None or section_count > _MOST_SECTIONS:
            raise ValueError(magic)
        section = struct.Struct("<8xIIII16x")
        first = optional + optional_size
        sections = tuple(section.unpack_from(data, first + i * section.size) for i in range(section_count))
        return cls(data, is_64, optional + (112 if is_64 else 96), sections)

    def offset(self, address: int) -> int:
        """Return where in the file a virtual address is."""
        for virtual_size, virtual_address, raw_size, raw_offset in self.sections:
            if virtual_address <= address < virtual_address + max(virtual_size, raw_size):
                return address - virtual_address + raw_offset
        raise ValueError(address)

    def directory(self, number: int) -> int | None:
        """Return where in the file a data directory begins, or None if there is none."""
        (count,) = struct.unpack_from("<I", self.data, self.directories - 4)
        if number >= count:
            return None
        (address,) = struct.unpack_from("<I", self.data, self.directories + number * 8)
        return self.offset(address) if address else None

    def hints(self, address: int) -> Iterator[int]:
        """Yield the addresses of hint/name entries; the top bit marks an import by number, which has none."""
        entry, by_number = (struct.Struct("<Q"), 1 << 63) if self.is_64 else (struct.Struct("<I"), 1 << 31)
        position = self.offset(address) if address else None
        while position is not None:
            (value,) = entry.unpack_from(self.data, position)
            if not value:
                break
            if not value & by_number:
                yield value
            position += entry.size
