"""ELF: System V ABI, chapter 5, "Program Loading and Dynamic Linking"; symbol versions as the LSB defines them.

Read as the dynamic linker does, by the program headers: the section headers are for other tools, and a library works
without them.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .image import Image, Loading, Names, Note, Section, Segment, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .image import Data, FileKind

__all__ = ["MAGICS", "images", "kind_of"]

MAGICS = (b"\x7fELF",)

_ET_REL, _ET_EXEC, _ET_DYN = 1, 2, 3
# e_machine of what no CPU of a wheel's platform runs: AVR, Xtensa, Hexagon, CUDA, Intel GPU, AMD GPU, BPF, NEC VE.
_DEVICES = {83, 94, 164, 190, 205, 224, 247, 251}
_PT_LOAD = 1
_PT_DYNAMIC = 2
_PT_INTERP = 3
_PT_NOTE = 4
_PT_GNU_STACK = 0x6474E551
_PT_GNU_PROPERTY = 0x6474E553
_PF_X = 1
_NT_GNU_PROPERTY_TYPE_0 = 5
_X86_ISA_1_NEEDED = 0xC0008002
_DT_NULL = 0
_DT_NEEDED = 1
_DT_PLTRELSZ = 2
_DT_HASH = 4
_DT_STRTAB = 5
_DT_SYMTAB = 6
_DT_RELA = 7
_DT_RELASZ = 8
_DT_SONAME = 14
_DT_RPATH = 15
_DT_REL = 17
_DT_RELSZ = 18
_DT_PLTREL = 20
_DT_TEXTREL = 22
_DT_JMPREL = 23
_DT_RUNPATH = 29
_DT_FLAGS = 30
_DT_RELR = 36
_DT_FLAGS_1 = 0x6FFFFFFB
_DF_1_PIE = 0x08000000
_DT_GNU_HASH = 0x6FFFFEF5
_DF_TEXTREL = 4
_DT_VERSYM = 0x6FFFFFF0
_DT_VERDEF = 0x6FFFFFFC
_DT_VERDEFNUM = 0x6FFFFFFD
_DT_VERNEED = 0x6FFFFFFE
_DT_VERNEEDNUM = 0x6FFFFFFF
# What an entry of the dynamic section takes in memory, more than in the file.
_ENTRY = 64
_SHN_UNDEF = 0
_SHT_NOBITS = 8
_SHF_EXECINSTR = 4
_STB_LOCAL = 0
_STB_WEAK = 2
_STB_GNU_UNIQUE = 10
# A version's number; the top bit hides it from linkers. Below 2 stand "local" and "no version".
_VERSION = 0x7FFF
# Rows of a relocation table that are read at once: libraries with megabytes of them are larger than memory should be.
_RELOCATIONS = 1 << 14
# Linkers write one to five.
_MOST_NOTES = 1 << 12
_LONGEST_OWNER = 64

# The tags of PEP 600 and 656 mean ARM with hard float, as Debian's armhf; Debian calls the other ABI so.
_ARM, _SOFT_FLOAT_ARM = "armv7l", "armel"
_EF_ARM_ABI_FLOAT_HARD = 0x400
# e_machine, and how the wheel tags of Linux spell it; some depend on the class or the byte order.
_MACHINES = {
    (0x03, False, "<"): "i686",
    (0x14, False, ">"): "ppc",
    (0x15, True, ">"): "ppc64",
    (0x15, True, "<"): "ppc64le",
    (0x16, True, ">"): "s390x",
    (0x28, False, "<"): _ARM,
    (0x3E, True, "<"): "x86_64",
    (0xB7, True, "<"): "aarch64",
    (0xF3, True, "<"): "riscv64",
    (0x102, True, "<"): "loongarch64",
    (0xBE, True, "<"): "cuda",
    (0xE0, True, "<"): "amdgpu",
    (0xF7, True, "<"): "bpf",
}


def kind_of(data: Data) -> FileKind | None:
    """Return what an ELF file is, or None if this is not one. A damaged one counts as loadable: :func:`images` says so.

    Relocatable files are object files, and kernel modules too. ``objcopy --only-keep-debug`` leaves the headers of a
    library without its code.
    """
    if data[:4] != MAGICS[0]:
        return None
    try:
        order = {1: "<", 2: ">"}[data[5]]
        type_, machine = struct.unpack_from(order + "HH", data, 0x10)
        if machine in _DEVICES:
            return "device code"
        if type_ == _ET_REL:
            return "object file"
        if type_ not in {_ET_EXEC, _ET_DYN}:
            return "system file"  # a core dump
        return "debug symbols" if _File.of(data).has_lost_its_code() else "loadable"
    except (struct.error, ValueError, LookupError, OverflowError):
        return "loadable"


def images(data: Data) -> tuple[Image]:
    """Read a library or a program; there is one in a file.

    Raises:
        struct.error, ValueError, LookupError: The file is damaged, or neither.

    """
    file = _File.of(data)
    names = Names(data)
    if file.is_static:
        sections, notes = tuple(file.sections(names)), tuple(islice(file.notes(), _MOST_NOTES))
        return (Image(file.architecture, level=file.level(), sections=sections, notes=notes, is_program=True),)
    entries = list(file.dynamic(names))
    tables = dict(entries)
    strings = file.offset(tables[_DT_STRTAB])

    def texts(wanted: int) -> tuple[str, ...]:
        return tuple(names.at(strings + value) for tag, value in entries if tag == wanted)

    versions = _Versions(file, tables, names, strings)
    # With a RUNPATH, an RPATH is not looked at.
    run_paths = texts(_DT_RUNPATH) or texts(_DT_RPATH)
    return (
        Image(
            architecture=file.architecture,
            name=next(iter(texts(_DT_SONAME)), None),
            libraries=texts(_DT_NEEDED),
            # An empty entry is the current directory for glibc, but an empty text has no entries.
            run_paths=tuple(path for paths in run_paths if paths for path in paths.split(":")),
            versions=tuple((library, version) for version, library in versions.all_needed()),
            level=file.level(),
            imports=tuple(
                Symbol(names.at(strings + row.name), *versions.needed(row.number), row.weak)
                for row in file.undefined(tables, names)
            ),
            exports=tuple(
                Symbol(names.at(strings + row.name), versions.defined(row.number), weak=row.weak)
                for row in file.defined(tables, names)
            ),
            sections=tuple(file.sections(names)),
            notes=tuple(islice(file.notes(), _MOST_NOTES)),
            # libc.so.6 can be started as well, but has a name for others.
            is_program=bool(tables.get(_DT_FLAGS_1, 0) & _DF_1_PIE)
            or (file.has_interpreter and _DT_SONAME not in tables),
            loading=Loading(
                executable_stack=file.executable_stack(),
                text_relocations=_DT_TEXTREL in tables or bool(tables.get(_DT_FLAGS, 0) & _DF_TEXTREL),
                relative_relocations=_DT_RELR in tables,
                segments=tuple(file.segments_of(_PT_LOAD)),
            ),
        ),
    )


class _Row(NamedTuple):
    """A symbol: its number, where in the string table its name is, and whether it is weak."""

    number: int
    name: int
    weak: bool


class _File(NamedTuple):
    """The headers of an ELF file.

    Attributes:
        data: The file.
        order: Byte order, as :mod:`struct` writes it.
        is_64: ELFCLASS64 and not ELFCLASS32.
        segments: The program headers.

    """

    data: Data
    order: str
    is_64: bool
    segments: tuple[Segment, ...]

    @classmethod
    def of(cls, data: Data) -> _File:
        is_64 = {1: False, 2: True}[data[4]]
        order = {1: "<", 2: ">"}[data[5]]
        file = cls(data, order, is_64, ())
        word, at, sizes, header = ("Q", 0x20, 0x36, "IIQQ8xQ8xQ") if is_64 else ("I", 0x1C, 0x2A, "III4xI4xII")
        (offset,), (size, count) = file.unpack(word, at), file.unpack("HH", sizes)
        rows = (file.unpack(header, offset + i * size) for i in range(count))
        # In a header for 32 bits the flags are the last but one.
        fields = rows if is_64 else ((row[0], row[4], *row[1:4], row[5]) for row in rows)
        return file._replace(segments=tuple(Segment(*row) for row in fields))

    def unpack(self, form: str, position: int) -> tuple[Any, ...]:
        """Return what is at a position, by a format of :mod:`struct` without byte order."""
        return struct.unpack_from(self.order + form, self.data, position)

    @property
    def architecture(self) -> str:
        (machine,) = self.unpack("H", 0x12)
        name = _MACHINES.get((machine, self.is_64, self.order), f"machine {machine}")
        if name == _ARM:
            (flags,) = self.unpack("I", 0x24)
            return name if flags & _EF_ARM_ABI_FLOAT_HARD else _SOFT_FLOAT_ARM
        return name

    def segments_of(self, kind: int) -> Iterator[Segment]:
        """Yield the segments of one kind."""
        return (segment for segment in self.segments if segment.kind == kind)

    def executable_stack(self) -> bool | None:
        """Say whether the stack has to be executable, or None if the file does not say."""
        return next((bool(segment.flags & _PF_X) for segment in self.segments_of(_PT_GNU_STACK)), None)

    @property
    def has_interpreter(self) -> bool:
        """Whether it names a dynamic linker, which starts it."""
        return any(self.segments_of(_PT_INTERP))

    @property
    def is_static(self) -> bool:
        """Whether it is a program that needs no dynamic linker, and has no table for one."""
        (type_,) = self.unpack("H", 0x10)
        kinds = {segment.kind for segment in self.segments}
        return type_ == _ET_EXEC and _PT_LOAD in kinds and _PT_DYNAMIC not in kinds

    def has_lost_its_code(self) -> bool:
        """Say whether it has sections with code that are not in the file."""
        _, _, headers = self._read_section_headers()
        return any(kind == _SHT_NOBITS and flags & _SHF_EXECINSTR for _, kind, flags, *_ in headers)

    def offset(self, address: int) -> int:
        """Return where in the file an address is."""
        for segment in self.segments_of(_PT_LOAD):
            if segment.address <= address < segment.address + segment.size:
                return address - segment.address + segment.offset
        raise ValueError(address)

    def dynamic(self, names: Names) -> Iterator[tuple[int, int]]:
        """Yield the tags and values of the dynamic section."""
        row = struct.Struct(self.order + ("qQ" if self.is_64 else "iI"))
        segment = next(self.segments_of(_PT_DYNAMIC), None)
        if segment is None:
            raise ValueError("not a shared library")
        for position in range(segment.offset, segment.offset + segment.size - row.size + 1, row.size):
            names.count_bytes(_ENTRY)
            tag, value = row.unpack_from(self.data, position)
            if tag == _DT_NULL:
                break
            yield tag, value

    def undefined(self, tables: dict[int, int], names: Names) -> Iterator[_Row]:
        """Yield the symbols that the library needs: the undefined ones that the dynamic linker looks up.

        It looks up only those that a relocation refers to. ``_ZSt21ios_base_library_initv`` has none: GCC 13's
        ``<iostream>`` declares it ``.globl`` so that static linking takes its object file.
        """
        for row, _, section in self._read_symbols(tables, names, sorted(self._find_relocated(tables, names))):
            if section == _SHN_UNDEF:
                yield row

    def defined(self, tables: dict[int, int], names: Names) -> Iterator[_Row]:
        """Yield the symbols that others can bind to."""
        first, last = 0, 0
        if _DT_GNU_HASH in tables:
            first, last = self._read_first_defined(tables), self._find_last_defined(tables, names)
        else:
            last = self._count_chains(tables)
        for row, binding, section in self._read_symbols(tables, names, range(first, last)):
            if section != _SHN_UNDEF and binding != _STB_LOCAL:
                yield row

    def _read_symbols(
        self, tables: dict[int, int], names: Names, numbers: Sequence[int]
    ) -> Iterator[tuple[_Row, int, int]]:
        """Yield the symbols with some numbers, with binding and section."""
        # 64-bit: name, info, other, shndx, value, size; 32-bit: name, value, size, info, other, shndx.
        symbol = struct.Struct(self.order + ("IBBHQQ" if self.is_64 else "IIIBBH"))
        info_of, section_of = (1, 3) if self.is_64 else (3, 5)
        start = self.offset(tables[_DT_SYMTAB])
        names.count_bytes(len(numbers) * symbol.size)
        for index in numbers:
            fields = symbol.unpack_from(self.data, start + index * symbol.size)
            binding = fields[info_of] >> 4
            if fields[0]:
                yield _Row(index, fields[0], binding in {_STB_WEAK, _STB_GNU_UNIQUE}), binding, fields[section_of]

    # No table says how many symbols there are in all; those for looking them up do, in their ways.

    def _count_chains(self, tables: dict[int, int]) -> int:
        # DT_HASH has a chain for each symbol; their number is the second word.
        return int(self.unpack("I", self.offset(tables[_DT_HASH]) + 4)[0])

    def _read_first_defined(self, tables: dict[int, int]) -> int:
        # The second word of DT_GNU_HASH: after all symbols that cannot be looked up, such as the undefined.
        return int(self.unpack("I", self.offset(tables[_DT_GNU_HASH]) + 4)[0])

    def _find_relocated(self, tables: dict[int, int], names: Names) -> set[int]:
        """Return the numbers of the symbols that relocations refer to."""
        # Where each table is, how large, and how many words a row has: with an addend or without. The packed form
        # DT_RELR refers to no symbols.
        calls = 3 if tables.get(_DT_PLTREL) == _DT_RELA else 2
        found: set[int] = set()
        for table, size, words in (
            (_DT_RELA, _DT_RELASZ, 3),
            (_DT_REL, _DT_RELSZ, 2),
            (_DT_JMPREL, _DT_PLTRELSZ, calls),
        ):
            if table in tables:
                start, row = self.offset(tables[table]), words * (8 if self.is_64 else 4)
                end = start + tables[size] // row * row
                names.count_bytes(tables[size])
                if end > len(self.data):
                    raise ValueError(end)
                for at in range(start, end, row * _RELOCATIONS):
                    found.update(self._symbols_of_relocations(self.data[at : min(end, at + row * _RELOCATIONS)], words))
        return found

    def _symbols_of_relocations(self, rows: bytes, words: int) -> Iterable[int]:
        """Return the number of the symbol in each row: the upper 32 bits of its second word, or the upper 24 of 32."""
        halves = array("I", rows)
        if (self.order == "<") != (sys.byteorder == "little"):
            halves.byteswap()
        if self.is_64:
            return halves[3 if self.order == "<" else 2 :: 2 * words]
        return {word >> 8 for word in set(halves[1::words])}

    def _find_last_defined(self, tables: dict[int, int], names: Names) -> int:
        """Return the number after the last symbol that DT_GNU_HASH knows: where the last bucket's chain ends."""
        start = self.offset(tables[_DT_GNU_HASH])
        bucket_count, first, bloom_words, _ = self.unpack("4I", start)
        names.count_bytes(bucket_count * 36)  # a number takes nine times as much in memory
        buckets = start + 16 + bloom_words * (8 if self.is_64 else 4)
        last = max(self.unpack(f"{bucket_count}I", buckets), default=0)
        if last < first:
            return int(first)
        chains = buckets + bucket_count * 4
        while True:
            names.count_bytes(4)
            (value,) = self.unpack("I", chains + (last - first) * 4)
            last += 1
            if value & 1:  # marks the end of a chain
                return int(last)

    def level(self) -> int:
        """Return the level of x86-64 that the file asks for (x86-64 psABI, "GNU_PROPERTY_X86_ISA_1_NEEDED")."""
        for segment in self.segments_of(_PT_GNU_PROPERTY):
            names, size, note = self.unpack("III", segment.offset)
            position = segment.offset + 12 + names
            if note != _NT_GNU_PROPERTY_TYPE_0 or 12 + names + size > segment.size:
                raise ValueError(segment.offset)
            end = position + size
            while position + 12 <= end:
                property_, size = self.unpack("II", position)
                if property_ == _X86_ISA_1_NEEDED:
                    return max(1, int(self.unpack("I", position + 8)[0]).bit_length())
                position += 8 + (size + 7 & ~7)
        return 1

    def notes(self) -> Iterator[Note]:
        """Yield the notes, in each segment as far as they are whole: a library works with damaged ones."""
        for segment in self.segments_of(_PT_NOTE):
            position, end = segment.offset, min(segment.offset + segment.size, len(self.data))
            while position + 12 <= end:
                name, size, number = self.unpack("III", position)
                description = position + 12 + (name + 3 & ~3)
                if description + size > end:
                    break
                owner = self.data[position + 12 : position + 12 + min(name, _LONGEST_OWNER)].rstrip(b"\0")
                yield Note(owner.decode("utf-8", "replace"), number, description, size)
                position = description + (size + 3 & ~3)

    def sections(self, names: Names) -> Iterator[Section]:
        """Yield the sections that have bytes in the file, if the file tells of them."""
        count, strings, headers = self._read_section_headers()
        names.count_bytes(64 * count)
        rows = list(headers)
        for name, kind, _, address, offset, length in rows:
            if name and kind != _SHT_NOBITS:
                yield Section(names.at(rows[strings][4] + name), offset, length, address)

    def _read_section_headers(self) -> tuple[int, int, Iterator[tuple[int, ...]]]:
        """Return how many section headers there are, which of them is that of the names, and the headers."""
        if self.is_64:
            header, (start,) = "IIQQQQ", self.unpack("Q", 0x28)
            size, count, strings = self.unpack("HHH", 0x3A)
        else:
            header, (start,) = "IIIIII", self.unpack("I", 0x20)
            size, count, strings = self.unpack("HHH", 0x2E)
        if not start or not count:
            return 0, 0, iter(())
        if strings >= count:
            raise ValueError(count)
        return (
            count,
            strings,
            (self.unpack(header, start + i * size) for i in range(count)),
        )


class _Versions:
    """Which version a symbol has: DT_VERSYM gives it a number, DT_VERNEED and DT_VERDEF say what the numbers mean."""

    def __init__(self, file: _File, tables: dict[int, int], names: Names, strings: int) -> None:
        self._file = file
        self._numbers = file.offset(tables[_DT_VERSYM]) if _DT_VERSYM in tables else None
        self._needed = dict(self._read_needed(tables, names, strings))
        self._defined = dict(self._read_defined(tables, names, strings))

    def all_needed(self) -> Iterable[tuple[str, str]]:
        """Return version and library of everything that is needed, used by a symbol or not."""
        return self._needed.values()

    def needed(self, symbol: int) -> tuple[str, str]:
        """Return version and library of a symbol that is needed."""
        return self._needed.get(self._number_of(symbol), ("", ""))

    def defined(self, symbol: int) -> str:
        """Return the version of a symbol that is offered."""
        return self._defined.get(self._number_of(symbol), "")

    def _number_of(self, symbol: int) -> int:
        if self._numbers is None:
            return 0
        (version,) = self._file.unpack("H", self._numbers + 2 * symbol)
        return int(version) & _VERSION

    def _read_needed(self, tables: dict[int, int], names: Names, strings: int) -> Iterator[tuple[int, tuple[str, str]]]:
        for position in self._walk_chain(tables, names, _DT_VERNEED, _DT_VERNEEDNUM, "12xI"):
            count, library, first = self._file.unpack("2xHII", position)
            at = position + first
            for _ in range(count):
                version, name, following = self._file.unpack("6xHII", at)
                yield version, (names.at(strings + name), names.at(strings + library))
                at += following

    def _read_defined(self, tables: dict[int, int], names: Names, strings: int) -> Iterator[tuple[int, str]]:
        for position in self._walk_chain(tables, names, _DT_VERDEF, _DT_VERDEFNUM, "16xI"):
            version, first = self._file.unpack("4xH6xI", position)
            (name,) = self._file.unpack("I", position + first)
            yield version, names.at(strings + name)

    def _walk_chain(
        self, tables: dict[int, int], names: Names, table: int, count: int, following: str
    ) -> Iterator[int]:
        """Yield where the entries of a table are in which each says how far the next one is."""
        if table not in tables:
            return
        position = self._file.offset(tables[table])
        for _ in range(tables.get(count, 0)):
            yield position
            names.count_bytes(16)
            (distance,) = self._file.unpack(following, position)
            if not distance:
                break
            position += distance
