"""Mach-O, thin and universal, 64 bit: ``mach-o/loader.h``, ``mach-o/nlist.h`` and ``mach-o/fat.h``."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from .image import Image, Names, Section, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .image import Data

__all__ = ["images", "matches"]

_THIN = b"\xcf\xfa\xed\xfe"  # MH_MAGIC_64, little-endian
_UNIVERSAL = b"\xca\xfe\xba\xbe"  # FAT_MAGIC, big-endian
_UNIVERSAL_64 = b"\xca\xfe\xba\xbf"
_LC_SYMTAB = 0x2
_LC_ID_DYLIB = 0xD
_LC_SEGMENT_64 = 0x19
_LC_CODE_SIGNATURE = 0x1D
_LC_VERSION_MIN_MACOSX = 0x24
_LC_VERSION_MIN_IPHONEOS = 0x25
_LC_VERSION_MIN_TVOS = 0x2F
_LC_VERSION_MIN_WATCHOS = 0x30
_LC_BUILD_VERSION = 0x32
_LC_RPATH = 0x8000001C
# LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB
_LOAD_COMMANDS = frozenset({0xC, 0x80000018, 0x8000001F, 0x80000023})
_N_STAB = 0xE0
_N_TYPE = 0x0E
_N_EXT = 0x01
_N_WEAK_REF = 0x40
_N_WEAK_DEF = 0x80
_NLIST = struct.Struct("<IBBHQ")
# What a load command takes in memory, more than in the file.
_COMMAND = 64
_SECTION = struct.Struct("<32xQQI28x")
# Apple has two today; lipo knows of some twenty.
_MOST_ARCHITECTURES = 32
_ARCHITECTURES = {0x01000007: "x86_64", 0x0100000C: "arm64"}
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


def matches(data: Data) -> bool:
    """Say whether this is a Mach-O file."""
    return data[:4] in {_THIN, _UNIVERSAL, _UNIVERSAL_64}


def images(data: Data) -> tuple[Image, ...]:
    """Read a library, for each of its architectures.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    names = Names(data)
    return tuple(_read_image(data, start, names) for start in _find_architectures(data))


def _find_architectures(data: Data) -> list[int]:
    if data[:4] == _THIN:
        return [0]
    (count,) = struct.unpack_from(">I", data, 4)
    if not 0 < count <= _MOST_ARCHITECTURES:
        raise ValueError(count)
    # cputype, cpusubtype, offset, size, align (64 bit: and reserved)
    entry = struct.Struct(">iiIII" if data[:4] == _UNIVERSAL else ">iiQQII")
    return [entry.unpack_from(data, 8 + i * entry.size)[2] for i in range(count)]


class _Commands(NamedTuple):
    """The load commands of one architecture: number and position of each."""

    data: Data
    start: int
    rows: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, data: Data, start: int, names: Names) -> _Commands:
        if data[start : start + 4] != _THIN:
            raise ValueError(start)
        (count,) = struct.unpack_from("<I", data, start + 16)
        position = start + 32
        rows = []
        for _ in range(count):
            command, size = struct.unpack_from("<II", data, position)
            if size < 8:
                raise ValueError(position)
            names.count_bytes(_COMMAND)
            rows.append((command, position))
            position += size
        return cls(data, start, tuple(rows))

    def all(self, *wanted: int) -> list[int]:
        return [position for command, position in self.rows if command in wanted]

    def texts(self, names: Names, *wanted: int) -> tuple[str, ...]:
        """Return the strings of commands that have one; after command and size stands where in the command it is."""
        return tuple(
            names.at(position + struct.unpack_from("<8xI", self.data, position)[0]) for position in self.all(*wanted)
        )


def _read_image(data: Data, start: int, names: Names) -> Image:
    commands = _Commands.of(data, start, names)
    (machine,) = struct.unpack_from("<I", data, start + 4)
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
    )


def _read_symbols(commands: _Commands, names: Names, libraries: tuple[str, ...]) -> Iterator[tuple[Symbol, bool]]:
    """Yield the external symbols, and whether they are defined here."""
    tables = commands.all(_LC_SYMTAB)
    if len(tables) > 1:
        raise ValueError(tables)
    for position in tables:
        table, count, strings = struct.unpack_from("<8xIII", commands.data, position)
        names.count_bytes(count * _NLIST.size)
        for i in range(count):
            row = commands.start + table + i * _NLIST.size
            name, kind, _, description, _ = _NLIST.unpack_from(commands.data, row)
            if kind & _N_EXT and not kind & _N_STAB:
                defined = bool(kind & _N_TYPE)
                # Two-level namespace: which of the load commands, counted from 1; 254 and 255 are no library.
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
        platform, version = struct.unpack_from("<8xII", commands.data, position)
        found[_SYSTEMS.get(platform, f"platform {platform} of Apple")] = _decode_version(version)
    for command, position in commands.rows:
        if command in _OLDER_COMMANDS:
            (version,) = struct.unpack_from("<8xI", commands.data, position)
            found.setdefault(_OLDER_COMMANDS[command], _decode_version(version))
    return found


def _decode_version(nibbles: int) -> str:
    # xxxx.yy.zz, the last of which no tag knows.
    return f"{nibbles >> 16}.{nibbles >> 8 & 0xFF}"


def _find_signature(commands: _Commands) -> Section | None:
    for position in commands.all(_LC_CODE_SIGNATURE):
        offset, size = struct.unpack_from("<8xII", commands.data, position)
        return Section("code signature", commands.start + offset, size)
    return None


def _read_sections(commands: _Commands, names: Names) -> Iterator[Section]:
    for position in commands.all(_LC_SEGMENT_64):
        (size,) = struct.unpack_from("<4xI", commands.data, position)
        (count,) = struct.unpack_from("<64xI", commands.data, position)
        if 72 + count * 80 > size:
            raise ValueError(count)
        for at in range(position + 72, position + 72 + count * 80, 80):
            section, segment = names.fixed(at, 16), names.fixed(at + 16, 16)
            address, length, offset = _SECTION.unpack_from(commands.data, at)
            if offset:  # zero-filled ones have no bytes in the file
                yield Section(f"{segment},{section}", commands.start + offset, length, address)
