"""PE: Microsoft's "PE Format", the import and the delay-load import tables."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ._imports import Imports, c_string

if TYPE_CHECKING:
    import mmap

__all__ = ["matches", "read"]

_IMPORT_TABLE = 1
_DELAY_IMPORT_TABLE = 13


def matches(data: mmap.mmap) -> bool:
    """Say whether this is a PE file."""
    if data[:2] != b"MZ" or len(data) < 0x40:
        return False
    (start,) = struct.unpack_from("<I", data, 0x3C)
    return data[start : start + 4] == b"PE\0\0"


def read(data: mmap.mmap) -> Imports:
    """Return the imported DLLs and symbols, delay-loaded ones included.

    A symbol that is imported by its number has no name here.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    (start,) = struct.unpack_from("<I", data, 0x3C)
    section_count, optional_size = struct.unpack_from("<2xH12xH", data, start + 4)
    optional = start + 24
    (magic,) = struct.unpack_from("<H", data, optional)
    is_64 = {0x10B: False, 0x20B: True}.get(magic)
    if is_64 is None:
        raise ValueError(magic)
    directories = optional + (112 if is_64 else 96)
    (directory_count,) = struct.unpack_from("<I", data, directories - 4)
    # virtual size, virtual address, raw size, raw offset
    sections = [
        struct.unpack_from("<8xIIII", data, optional + optional_size + i * 40) for i in range(section_count)
    ]

    def offset_of(address: int) -> int:
        for virtual_size, virtual_address, raw_size, raw_offset in sections:
            if virtual_address <= address < virtual_address + max(virtual_size, raw_size):
                return address - virtual_address + raw_offset
        raise ValueError(address)

    libraries: list[str] = []
    symbols: list[str] = []
    # Of a descriptor: its size, where in it the DLL's name and the table of names are.
    for table, size, name_at, names_at in ((_IMPORT_TABLE, 20, 12, 0), (_DELAY_IMPORT_TABLE, 32, 4, 16)):
        if table >= directory_count:
            continue
        (address,) = struct.unpack_from("<I", data, directories + table * 8)
        if not address:
            continue
        position = offset_of(address)
        while True:
            (name,) = struct.unpack_from("<I", data, position + name_at)
            if not name:
                break
            libraries.append(c_string(data, offset_of(name)))
            (names,) = struct.unpack_from("<I", data, position + names_at)
            if names:
                symbols.extend(
                    c_string(data, offset_of(hint) + 2) for hint in _hints(data, offset_of(names), is_64=is_64)
                )
            position += size
    return Imports(tuple(libraries), tuple(symbols))


def _hints(data: mmap.mmap, position: int, *, is_64: bool) -> list[int]:
    """Return the addresses of hint/name entries; the top bit marks an import by number, which has none."""
    entry, by_number = (struct.Struct("<Q"), 1 << 63) if is_64 else (struct.Struct("<I"), 1 << 31)
    found = []
    while True:
        (value,) = entry.unpack_from(data, position)
        if not value:
            return found
        if not value & by_number:
            found.append(value)
        position += entry.size
