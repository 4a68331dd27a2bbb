"""PE: Microsoft's "PE Format", the export, the import and the delay-load import tables."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from .image import Image, Names, Section, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .image import Data, FileKind

__all__ = ["MAGICS", "images", "kind_of"]

MAGICS = (b"MZ",)

_EXPORT_TABLE = 0
_IMPORT_TABLE = 1
_DELAY_IMPORT_TABLE = 13
_CLR_HEADER = 14
_COMIMAGE_FLAGS_ILONLY = 1
_IMAGE_FILE_DLL = 0x2000
# IMAGE_SUBSYSTEM_NATIVE (drivers), and those of EFI.
_SYSTEM = {1, 10, 11, 12, 13}
# Windows loads no image with more (PE format, "COFF File Header", NumberOfSections).
_MOST_SECTIONS = 96
# Of a row of both import tables: its size, where in it the address of the DLL's name and of the table of names are
# (PE format, "Import Directory Table" and "The Delay-Load Directory Table").
_LAYOUTS = {_IMPORT_TABLE: (20, 12, 0), _DELAY_IMPORT_TABLE: (32, 4, 16)}
# As the wheel tags of Windows spell them, behind "win_"; that of x86 is "win32" and has none.
_ARCHITECTURES = {0x14C: "x86", 0x8664: "amd64", 0xAA64: "arm64"}


def kind_of(data: Data) -> FileKind | None:
    """Return what a PE file is, or None if this is not one, such as a text or a DOS program that begins with "MZ".

    A damaged one counts as loadable: :func:`images` says so. An assembly of .NET without native code runs wherever .NET
    does, whatever processor its header names.
    """
    if data[:2] != MAGICS[0] or len(data) < 0x40:
        return None
    (start,) = struct.unpack_from("<I", data, 0x3C)
    if data[start : start + 4] != b"PE\0\0":
        return None
    try:
        file = _File.of(data)
        (subsystem,) = struct.unpack_from("<H", data, start + 24 + 68)
        if subsystem in _SYSTEM:
            return "system file"
        header = file.directory(_CLR_HEADER)
        is_managed = header is not None and struct.unpack_from("<16xI", data, header)[0] & _COMIMAGE_FLAGS_ILONLY
    except (struct.error, ValueError, OverflowError):
        return "loadable"
    return ".NET assembly" if is_managed else "loadable"


def images(data: Data) -> tuple[Image]:
    """Read a library; there is one in a file.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    file = _File.of(data)
    names = Names(data)
    needed = {table: _read_imports(file, names, table) for table in _LAYOUTS}
    name, exports = _read_exports(file, names)
    return (
        Image(
            architecture=_ARCHITECTURES.get(file.machine, f"machine {file.machine}"),
            name=name,
            libraries=needed[_IMPORT_TABLE][0],
            delayed=needed[_DELAY_IMPORT_TABLE][0],
            imports=tuple(symbol for table in _LAYOUTS for symbol in needed[table][1]),
            exports=exports,
            is_program=not file.is_dll,
            sections=tuple(
                Section(name, raw_offset, raw_size, address)
                for name, _, address, raw_size, raw_offset in file.sections
                if raw_size
            ),
        ),
    )


def _read_imports(file: _File, names: Names, table: int) -> tuple[tuple[str, ...], tuple[Symbol, ...]]:
    """Return the DLLs and the symbols of an import table."""
    size, name_at, names_at = _LAYOUTS[table]
    libraries: list[str] = []
    symbols: list[Symbol] = []
    position = file.directory(table)
    while position is not None:
        (name,) = struct.unpack_from("<I", file.data, position + name_at)
        if not name:
            break
        (thunks,) = struct.unpack_from("<I", file.data, position + names_at)
        library = names.at(file.offset(name))
        libraries.append(library)
        # The name follows a hint of two bytes (PE format, "Hint/Name Table").
        symbols += [Symbol(names.at(file.offset(hint) + 2), library=library) for hint in file.hints(thunks, names)]
        position += size
    return tuple(libraries), tuple(symbols)


def _read_exports(file: _File, names: Names) -> tuple[str | None, tuple[Symbol, ...]]:
    """Return the name that the library has for itself, and the symbols of the export table that have names."""
    table = file.directory(_EXPORT_TABLE)
    if table is None:
        return None, ()
    own, count, _, name_pointers = struct.unpack_from("<12xI8xIII", file.data, table)
    name = names.at(file.offset(own)) if own else None
    if not count:
        return name, ()
    start = file.offset(name_pointers)
    names.count_bytes(4 * count)
    pointers = struct.iter_unpack("<I", file.data[start : start + 4 * count])
    return name, tuple(Symbol(names.at(file.offset(pointer))) for (pointer,) in pointers)


class _Section(NamedTuple):
    """A section: what it is called, and which part of memory is which part of the file."""

    name: str
    virtual_size: int
    virtual_address: int
    raw_size: int
    raw_offset: int


class _File(NamedTuple):
    """The headers of a PE file: where what lies.

    Attributes:
        data: The file.
        machine: For which processor, as a number.
        is_dll: Whether it is loaded and not started.
        is_64: PE32+ and not PE32.
        directories: Offset of the data directories, whose number stands before them.
        sections: The sections.

    """

    data: Data
    machine: int
    is_dll: bool
    is_64: bool
    directories: int
    sections: tuple[_Section, ...]

    @classmethod
    def of(cls, data: Data) -> _File:
        (start,) = struct.unpack_from("<I", data, 0x3C)
        machine, section_count, symbols, symbol_count, optional_size, flags = struct.unpack_from(
            "<HH4xIIHH", data, start + 4
        )
        optional = start + 24
        (magic,) = struct.unpack_from("<H", data, optional)
        is_64 = {0x10B: False, 0x20B: True}.get(magic)
        if is_64 is None or section_count > _MOST_SECTIONS:
            raise ValueError(magic)
        names = Names(data)
        section = struct.Struct("<8xIIII16x")
        sections = []
        for at in range(optional + optional_size, optional + optional_size + section_count * 40, 40):
            name = names.fixed(at, 8)
            if name[:1] == "/" and name[1:].isdecimal() and symbols:
                # A longer name, as MinGW's linker writes: where it is in the strings after the symbol table. The PE
                # format, "Section Table", has that in object files only.
                name = names.at(symbols + symbol_count * 18 + int(name[1:]))
            sections.append(_Section(name, *section.unpack_from(data, at)))
        directories = optional + (112 if is_64 else 96)
        return cls(data, machine, bool(flags & _IMAGE_FILE_DLL), is_64, directories, tuple(sections))

    def offset(self, address: int) -> int:
        """Return where in the file a virtual address is."""
        for section in self.sections:
            first = section.virtual_address
            if first <= address < first + max(section.virtual_size, section.raw_size):
                return address - first + section.raw_offset
        raise ValueError(address)

    def directory(self, number: int) -> int | None:
        """Return where in the file a data directory begins, or None if there is none."""
        (count,) = struct.unpack_from("<I", self.data, self.directories - 4)
        if number >= count:
            return None
        (address,) = struct.unpack_from("<I", self.data, self.directories + number * 8)
        return self.offset(address) if address else None

    def hints(self, address: int, names: Names) -> Iterator[int]:
        """Yield the addresses of hint/name entries; the top bit marks an import by number, which has none."""
        entry, by_number = (struct.Struct("<Q"), 1 << 63) if self.is_64 else (struct.Struct("<I"), 1 << 31)
        position = self.offset(address) if address else None
        while position is not None:
            names.count_bytes(entry.size)
            (value,) = entry.unpack_from(self.data, position)
            if not value:
                break
            if not value & by_number:
                yield value
            position += entry.size
