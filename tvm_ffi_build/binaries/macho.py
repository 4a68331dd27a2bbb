"""Mach-O, thin and universal, 64 bit: ``mach-o/loader.h``, ``mach-o/nlist.h`` and ``mach-o/fat.h``."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ._imports import Imports, Names

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

__all__ = ["exports", "imports", "matches"]

_THIN = b"\xcf\xfa\xed\xfe"  # MH_MAGIC_64, little-endian
_UNIVERSAL = b"\xca\xfe\xba\xbe"  # FAT_MAGIC, big-endian
_UNIVERSAL_64 = b"\xca\xfe\xba\xbf"
_LC_SYMTAB = 0x2
# LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB
_LOAD_COMMANDS = frozenset({0xC, 0x80000018, 0x8000001F, 0x80000023})
_N_STAB = 0xE0
_N_TYPE = 0x0E
_N_EXT = 0x01
_NLIST = struct.Struct("<IBBHQ")
# Apple has two today; lipo knows of some twenty.
_MOST_ARCHITECTURES = 32


def matches(data: mmap.mmap) -> bool:
    """Say whether this is a Mach-O file."""
    return data[:4] in {_THIN, _UNIVERSAL, _UNIVERSAL_64}


def imports(data: mmap.mmap) -> Imports:
    """Return the load commands' libraries and the undefined symbols, of all architectures together.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    libraries: dict[str, None] = {}
    symbols: dict[str, None] = {}
    names = Names(data)
    for start in _architectures(data):
        needed, table = _load_commands(data, start, names)
        libraries.update(dict.fromkeys(needed))
        symbols.update(dict.fromkeys(name for name, defined in _symbols(data, start, names, table) if not defined))
    return Imports(tuple(libraries), tuple(symbols))


def exports(data: mmap.mmap) -> tuple[str, ...]:
    """Return the external symbols that are defined, of all architectures together.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    symbols: dict[str, None] = {}
    names = Names(data)
    for start in _architectures(data):
        _, table = _load_commands(data, start, names)
        symbols.update(dict.fromkeys(name for name, defined in _symbols(data, start, names, table) if defined))
    return tuple(symbols)


def _architectures(data: mmap.mmap) -> list[int]:
    if data[:4] == _THIN:
        return [0]
    (count,) = struct.unpack_from(">I", data, 4)
    if count > _MOST_ARCHITECTURES:
        raise ValueError(count)
    # cputype, cpusubtype, offset, size, align (64 bit: and reserved)
    entry = struct.Struct(">iiIII" if data[:4] == _UNIVERSAL else ">iiQQII")
    return [entry.unpack_from(data, 8 + i * entry.size)[2] for i in range(count)]


def _load_commands(data: mmap.mmap, start: int, names: Names) -> tuple[list[str], tuple[int, int, int] | None]:
    """Return the needed libraries, and where the symbol table is, how long it is, and where its strings are."""
    if data[start : start + 4] != _THIN:
        raise ValueError(start)
    (command_count,) = struct.unpack_from("<I", data, start + 16)
    position = start + 32
    libraries: list[str] = []
    symbol_table: tuple[int, int, int] | None = None
    for _ in range(command_count):
        command, size = struct.unpack_from("<II", data, position)
        if size < 8:
            raise ValueError(position)
        if command in _LOAD_COMMANDS:
            (name,) = struct.unpack_from("<I", data, position + 8)
            libraries.append(names.at(position + name))
        elif command == _LC_SYMTAB:
            if symbol_table is not None:
                raise ValueError(position)
            symbol_table = struct.unpack_from("<III", data, position + 8)
        position += size
    return libraries, symbol_table


def _symbols(
    data: mmap.mmap, start: int, names: Names, symbol_table: tuple[int, int, int] | None
) -> Iterator[tuple[str, bool]]:
    """Yield the external symbols, and whether they are defined here."""
    if symbol_table is None:
        return
    table, count, strings = symbol_table
    for i in range(count):
        name, kind, _, _, _ = _NLIST.unpack_from(data, start + table + i * _NLIST.size)
        if kind & _N_EXT and not kind & _N_STAB:
            yield names.at(start + strings + name).removeprefix("_"), bool(kind & _N_TYPE)
