"""ELF: System V ABI, chapter 4 (object files) and 5 (dynamic linking)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ._imports import Imports, c_string

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

__all__ = ["matches", "read"]

_SHT_DYNAMIC = 6
_SHT_DYNSYM = 11
_DT_NEEDED = 1
_SHN_UNDEF = 0


def matches(data: mmap.mmap) -> bool:
    """Say whether this is an ELF file."""
    return data[:4] == b"\x7fELF"


def read(data: mmap.mmap) -> Imports:
    """Return DT_NEEDED and the undefined symbols of ``.dynsym``.

    Raises:
        struct.error, ValueError, IndexError: The file is damaged.

    """
    is_64 = {1: False, 2: True}.get(data[4])
    order = {1: "<", 2: ">"}.get(data[5])
    if is_64 is None or order is None:
        raise ValueError(data[4:6])
    # (type, offset, size, link) of every section.
    section_offset, entry_size, count = (
        (*struct.unpack_from(order + "Q", data, 0x28), *struct.unpack_from(order + "HH", data, 0x3A))
        if is_64
        else (*struct.unpack_from(order + "I", data, 0x20), *struct.unpack_from(order + "HH", data, 0x2E))
    )
    header = struct.Struct(order + ("IIQQQQI" if is_64 else "IIIIIII"))
    sections = [header.unpack_from(data, section_offset + i * entry_size) for i in range(count)]
    libraries: list[str] = []
    symbols: list[str] = []
    for _, kind, _, _, offset, size, link in sections:
        if kind == _SHT_DYNAMIC:
            strings = sections[link][4]
            dynamic = struct.Struct(order + ("qQ" if is_64 else "iI"))
            libraries.extend(
                c_string(data, strings + value)
                for tag, value in _rows(data, dynamic, offset, size)
                if tag == _DT_NEEDED
            )
        elif kind == _SHT_DYNSYM:
            strings = sections[link][4]
            # 64-bit: name, info, other, shndx, value, size; 32-bit: name, value, size, info, other, shndx.
            symbol = struct.Struct(order + ("IBBHQQ" if is_64 else "IIIBBH"))
            name_of, section_of = (0, 3) if is_64 else (0, 5)
            symbols.extend(
                c_string(data, strings + row[name_of])
                for row in _rows(data, symbol, offset, size)
                if row[section_of] == _SHN_UNDEF and row[name_of]
            )
    return Imports(tuple(libraries), tuple(symbols))


def _rows(data: mmap.mmap, row: struct.Struct, offset: int, size: int) -> Iterator[tuple[int, ...]]:
    if offset + size > len(data):
        raise ValueError(offset)
    for position in range(offset, offset + size - row.size + 1, row.size):
        yield row.unpack_from(data, position)
