"""Mach-O, thin and universal: ``mach-o/loader.h``, ``mach-o/nlist.h`` and ``mach-o/fat.h``."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from . import static_library
from .image import Image, Names, Section, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .image import Data, FileKind

__all__ = ["MAGICS", "images", "kind_of"]

_UNIVERSAL = b"\xca\xfe\xba\xbe"  # FAT_MAGIC of <mach-o/fat.h>, big-endian
_UNIVERSAL_64 = b"\xca\xfe\xba\xbf"
_LC_SYMTAB = 0x2
_LC_ID_DYLIB = 0xD
_LC_CODE_SIGNATURE = 0x1D
_LC_VERSION_MIN_MACOSX = 0x24
_LC_VERSION_MIN_IPHONEOS = 0x25
_LC_VERSION_MIN_TVOS = 0x2F
_LC_VERSION_MIN_WATCHOS = 0x30
_LC_BUILD_VERSION = 0x32
_LC_RPATH = 0x8000001C
_LC_REEXPORT_DYLIB = 0x8000001F
# LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_LOAD_UPWARD_DYLIB of <mach-o/loader.h>
_LOAD_COMMANDS = frozenset({0xC, 0x80000018, _LC_REEXPORT_DYLIB, 0x80000023})
_N_STAB = 0xE0
_N_TYPE = 0x0E
_N_EXT = 0x01
_N_WEAK_REF = 0x40
_N_WEAK_DEF = 0x80
# What a load command takes in memory, more than in the file.
_COMMAND = 64
# Apple has two today; lipo knows of some twenty. Class files of Java have the same first bytes, and in the place of
# this number their version, which is 45 or more.
_MOST_ARCHITECTURES, _FIRST_JAVA = 32, 45
_ARCHITECTURES = {7: "i386", 18: "ppc", 0x01000007: "x86_64", 0x0100000C: "arm64", 0x01000012: "ppc64"}
_MACOS = "macOS"
# The platforms of LC_BUILD_VERSION, and the commands that older linkers wrote in its place.
_SYSTEMS = {
    1: _MACOS,
    2: "iOS",
    3: "tvOS",
    4: "watchOS",
    6: "Mac Catalyst",
    7: "the iOS simulator",
    8: "the tvOS simulator",
    9: "the watchOS simulator",
    11: "visionOS",
    12: "the visionOS simulator",
}
_OLDER_COMMANDS = {
    _LC_VERSION_MIN_MACOSX: _MACOS,
    _LC_VERSION_MIN_IPHONEOS: "iOS",
    _LC_VERSION_MIN_TVOS: "tvOS",
    _LC_VERSION_MIN_WATCHOS: "watchOS",
}


class _Layout(NamedTuple):
    """How the tables of an architecture are laid out.

    Attributes:
        order: Byte order, as :mod:`struct` writes it.
        header: The size of the header.
        segment: The number of the load command with a segment: LC_SEGMENT or LC_SEGMENT_64.
        sections: Where in that the number of its sections stands, and the first section.
        section: The address, size and offset of a section.
        symbol: A row of the symbol table (nlist).

    """

    order: str
    header: int
    segment: int
    sections: tuple[int, int]
    section: struct.Struct
    symbol: struct.Struct

    @classmethod
    def of(cls, order: str, *, is_64: bool) -> _Layout:
        if is_64:
            section, symbol = struct.Struct(order + "32xQQI28x"), struct.Struct(order + "IBBHQ")
            return cls(order, 32, 0x19, (64, 72), section, symbol)
        return cls(order, 28, 0x1, (48, 56), struct.Struct(order + "32xIII24x"), struct.Struct(order + "IBBHI"))


# MH_MAGIC and MH_MAGIC_64, as processors of either byte order write them.
_THIN = {
    struct.pack(order + "I", magic): _Layout.of(order, is_64=is_64)
    for order in "<>"
    for magic, is_64 in ((0xFEEDFACE, False), (0xFEEDFACF, True))
}
MAGICS = (*_THIN, _UNIVERSAL, _UNIVERSAL_64)
_MH_EXECUTE = 2
_MH_KINDS: dict[int, FileKind] = {
    _MH_EXECUTE: "loadable",
    6: "loadable",  # MH_DYLIB
    8: "loadable",  # MH_BUNDLE
    1: "object file",
    9: "static library",  # MH_DYLIB_STUB, for linkers
    10: "debug symbols",  # MH_DSYM
}


def kind_of(data: Data) -> FileKind | None:
    """Return what a Mach-O file is, or None if this is not one.

    A damaged one counts as loadable: :func:`images` says so.
    """
    if data[:4] in _THIN:
        return _kind_at(data, 0)
    if data[:4] not in {_UNIVERSAL, _UNIVERSAL_64}:
        return None
    if len(data) >= 8 and struct.unpack_from(">I", data, 4)[0] >= _FIRST_JAVA and data[:4] == _UNIVERSAL:
        return None
    try:
        kinds = {_kind_at(data, start) for start in _find_architectures(data)}
    except (struct.error, ValueError):
        return "loadable"
    return kinds.pop() if len(kinds) == 1 else "loadable"


def _kind_at(data: Data, start: int) -> FileKind:
    if data[start : start + 8] == static_library.MAGICS[0]:
        return "static library"
    layout = _THIN.get(data[start : start + 4])
    if layout is None or start + 16 > len(data):
        return "loadable"
    return _MH_KINDS.get(struct.unpack_from(layout.order + "I", data, start + 12)[0], "system file")


def images(data: Data) -> tuple[Image, ...]:
    """Read a library, for each of its architectures.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    names = Names(data)
    return tuple(_read_image(data, start, names) for start in _find_architectures(data))


def _find_architectures(data: Data) -> list[int]:
    if data[:4] in _THIN:
        return [0]
    (count,) = struct.unpack_from(">I", data, 4)
    if not 0 < count <= _MOST_ARCHITECTURES:
        raise ValueError(count)
    # struct fat_arch of <mach-o/fat.h>: cputype, cpusubtype, offset, size, align (64 bit: and reserved)
    entry = struct.Struct(">iiIII" if data[:4] == _UNIVERSAL else ">iiQQII")
    return [entry.unpack_from(data, 8 + i * entry.size)[2] for i in range(count)]


class _Commands(NamedTuple):
    """The load commands of one architecture: number and position of each."""

    data: Data
    start: int
    layout: _Layout
    rows: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, data: Data, start: int, names: Names) -> _Commands:
        layout = _THIN[data[start : start + 4]]
        (count,) = struct.unpack_from(layout.order + "I", data, start + 16)
        position = start + layout.header
        rows = []
        for _ in range(count):
            command, size = struct.unpack_from(layout.order + "II", data, position)
            if size < 8:
                raise ValueError(position)
            names.count_bytes(_COMMAND)
            rows.append((command, position))
            position += size
        return cls(data, start, layout, tuple(rows))

    def unpack(self, fields: str, position: int) -> tuple[int, ...]:
        """Return fields at a position, in the byte order of the architecture."""
        return struct.unpack_from(self.layout.order + fields, self.data, position)

    def all(self, *wanted: int) -> list[int]:
        return [position for command, position in self.rows if command in wanted]

    def texts(self, names: Names, *wanted: int) -> tuple[str, ...]:
        """Return the strings of commands that have one; after command and size stands where in the command it is."""
        return tuple(names.at(position + self.unpack("8xI", position)[0]) for position in self.all(*wanted))


def _read_image(data: Data, start: int, names: Names) -> Image:
    commands = _Commands.of(data, start, names)
    machine, _, type_ = commands.unpack("III", start + 4)
    libraries = commands.texts(names, *_LOAD_COMMANDS)
    symbols = list(_read_symbols(commands, names, libraries))
    systems = _read_systems(commands)
    return Image(
        architecture=_ARCHITECTURES.get(machine, f"machine {machine}"),
        name=next(iter(commands.texts(names, _LC_ID_DYLIB)), None),
        libraries=libraries,
        run_paths=commands.texts(names, _LC_RPATH),
        minimum_os=systems.get(_MACOS),
        systems=tuple(systems),
        imports=tuple(symbol for symbol, defined in symbols if not defined),
        exports=tuple(symbol for symbol, defined in symbols if defined),
        sections=tuple(_read_sections(commands, names)),
        offset=start,
        signature=_find_signature(commands),
        is_program=type_ == _MH_EXECUTE,
        reexports=commands.texts(names, _LC_REEXPORT_DYLIB),
    )


def _read_symbols(commands: _Commands, names: Names, libraries: tuple[str, ...]) -> Iterator[tuple[Symbol, bool]]:
    """Yield the external symbols, and whether they are defined here."""
    tables = commands.all(_LC_SYMTAB)
    if len(tables) > 1:
        raise ValueError(tables)
    for position in tables:
        table, count, strings = commands.unpack("8xIII", position)
        symbol = commands.layout.symbol
        names.count_bytes(count * symbol.size)
        for i in range(count):
            row = commands.start + table + i * symbol.size
            name, kind, _, description, _ = symbol.unpack_from(commands.data, row)
            if kind & _N_EXT and not kind & _N_STAB:
                defined = bool(kind & _N_TYPE)
                # Two-level namespace, GET_LIBRARY_ORDINAL of <mach-o/nlist.h>: which of the load commands, counted from
                # 1; 254 and 255 are no library.
                ordinal = description >> 8
                yield (
                    Symbol(
                        names.at(commands.start + strings + name).removeprefix("_"),
                        library="" if defined or not 0 < ordinal <= len(libraries) else libraries[ordinal - 1],
                        weak=bool(description & (_N_WEAK_DEF if defined else _N_WEAK_REF)),
                    ),
                    defined,
                )


def _read_systems(commands: _Commands) -> dict[str, str]:
    """Return the oldest version of each system that the file is built for; it may be for macOS and Mac Catalyst."""
    found = {}
    for position in commands.all(_LC_BUILD_VERSION):
        platform, version = commands.unpack("8xII", position)
        found[_SYSTEMS.get(platform, f"platform {platform} of Apple")] = _decode_version(version)
    for command, position in commands.rows:
        if command in _OLDER_COMMANDS:
            (version,) = commands.unpack("8xI", position)
            found.setdefault(_OLDER_COMMANDS[command], _decode_version(version))
    return found


def _decode_version(nibbles: int) -> str:
    # xxxx.yy.zz, as version_min_command in <mach-o/loader.h> says; no tag knows the last.
    return f"{nibbles >> 16}.{nibbles >> 8 & 0xFF}"


def _find_signature(commands: _Commands) -> Section | None:
    for position in commands.all(_LC_CODE_SIGNATURE):
        offset, size = commands.unpack("8xII", position)
        return Section("code signature", commands.start + offset, size)
    return None


def _read_sections(commands: _Commands, names: Names) -> Iterator[Section]:
    layout = commands.layout
    at_count, first = layout.sections
    for position in commands.all(layout.segment):
        (size,) = commands.unpack("4xI", position)
        (count,) = commands.unpack("I", position + at_count)
        if first + count * layout.section.size > size:
            raise ValueError(count)
        for at in range(position + first, position + first + count * layout.section.size, layout.section.size):
            section, segment = names.fixed(at, 16), names.fixed(at + 16, 16)
            address, length, offset = layout.section.unpack_from(commands.data, at)
            if offset:  # zero-filled ones (S_ZEROFILL of <mach-o/loader.h>) have no bytes in the file
                yield Section(f"{segment},{section}", commands.start + offset, length, address)
