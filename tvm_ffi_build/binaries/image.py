"""What every reader answers, and what they take names out of a file with."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Literal, NamedTuple, Union

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterable

    from ..platforms.systems import BinaryFormat

    Data = Union[bytes, mmap.mmap]

__all__ = ["Binary", "FileKind", "Image", "Loading", "Names", "Note", "Section", "Segment", "Symbol"]

# What a file is, by its bytes. Only a "loadable" one, a shared library or a program, is for the process or the system
# that a wheel is installed for. The others are for linkers, debuggers, GPUs, the .NET runtime and kernels.
FileKind = Literal[
    "loadable", "object file", "static library", "debug symbols", "device code", ".NET assembly", "system file"
]

# Longer than any mangled name that compilers make.
_LONGEST_NAME = 1 << 16
# Bytes of names and tables; the largest libraries of CUDA have a tenth.
_MOST = 1 << 28


class Symbol(NamedTuple):
    """A symbol that a library needs or offers.

    Attributes:
        name: Without the underscore that Mach-O puts before a C name; empty for one that PE imports by its number.
        version: The version that an ELF library asks for or gives, such as ``GLIBC_2.17``.
        library: Where it is to come from, as far as the format says: ELF does for symbols with a version.
        weak: Whether another definition may be taken instead, or none at all.

    """

    name: str
    version: str = ""
    library: str = ""
    weak: bool = False


_CODE = re.compile(r"\.text(\.|$)|__TEXT,__text$")
_FOR_TOOLS = re.compile(
    r"\.(z?debug_|symtab$|strtab$|dynsym$|dynstr$|rela?\.|gnu\.|eh_frame|gcc_except_table)|__DWARF,"
)
# Of PE, names are cut off after eight bytes. What is to be linked yet is in those that begin with "__".
_DEVICE_CODE = {".nv_fatbin", ".nv_fatb", "__nv_relfatbin", "__nv_rel", ".hip_fatbin", ".hip_fat"}


class Section(NamedTuple):
    """A part of a library that has a name.

    Attributes:
        name: Such as ``.text``; of Mach-O with its segment, ``__TEXT,__text``.
        offset: Where it begins, in bytes from the start of the file.
        size: How many bytes of the file it has.
        address: Where it is in memory, before the library is moved.

    """

    name: str
    offset: int
    size: int
    address: int = 0

    @property
    def is_code(self) -> bool:
        """Whether it is code of the processor that loads the library, by its name."""
        return bool(_CODE.match(self.name))

    @property
    def is_for_tools(self) -> bool:
        """Whether linkers, debuggers and the unwinder made it, by its name; no source file puts data there."""
        return bool(_FOR_TOOLS.match(self.name))

    @property
    def is_device_code(self) -> bool:
        """Whether it is code of a GPU, by its name."""
        return self.name in _DEVICE_CODE


class Note(NamedTuple):
    """Something that a linker or a compiler has to say about a library, to whoever knows its owner (ELF).

    Attributes:
        owner: Whose it is, such as ``GNU``.
        kind: What it is, by the owner's numbers.
        offset: Where what it says begins, in bytes from the start of the file.
        size: How many bytes that has.

    """

    owner: str
    kind: int
    offset: int
    size: int


class Segment(NamedTuple):
    """A part of an ELF file that its program headers describe.

    Attributes:
        kind: What it is for, by its number: ``PT_LOAD`` is 1.
        flags: Whether memory with it may be executed (1), written (2) and read (4).
        offset: Where it begins, in bytes from the start of the file.
        address: Where it is in memory, before the library is moved.
        size: How many bytes of the file it has.
        alignment: What both of these are equal modulo: the size of a page, or a multiple of it.

    """

    kind: int
    flags: int
    offset: int
    address: int
    size: int
    alignment: int


class Loading(NamedTuple):
    """What an ELF library asks of the loader beside libraries and symbols.

    Attributes:
        executable_stack: Whether the stack has to be executable; None if it does not say (no ``PT_GNU_STACK``).
        text_relocations: Whether the loader has to write into code (``DT_TEXTREL``).
        relative_relocations: Whether it has relocations in the packed form ``DT_RELR``.
        segments: What is mapped into memory (``PT_LOAD``).

    """

    executable_stack: bool | None = False
    text_relocations: bool = False
    relative_relocations: bool = False
    segments: tuple[Segment, ...] = ()


class Image(NamedTuple):
    """A library for one architecture; a universal Mach-O file holds several.

    Attributes:
        architecture: As wheel tags spell it: ``x86_64``, ``aarch64`` (Linux), ``arm64`` (macOS, Windows), ``amd64``.
        name: What others will ask for: ELF's SONAME, Mach-O's install name, the name in PE's export table.
        libraries: The libraries that are loaded with it, as it spells them.
        delayed: The libraries that are loaded at the first call into them (PE).
        run_paths: Where needed libraries are looked for, as it spells them; an empty one is the current directory.
        minimum_os: The oldest macOS that it is built for, such as ``11.0``.
        systems: The systems of Apple that it is built for (Mach-O), such as ``macOS``; empty if it does not say.
        versions: The symbol versions without which it is not loaded (ELF): library and version of each.
        level: Which of the levels of x86-64 it says it needs (ELF): 1 for the first processors, up to 4.
        imports: The symbols that it needs.
        exports: The symbols that it offers.
        sections: Its sections, as far as it says.
        notes: Its notes (ELF), which it has even if it has no sections to say.
        offset: Where in the file it begins, in bytes.
        signature: Its code signature (Mach-O).
        is_program: Whether it is started and not loaded.
        loading: What it asks of the loader (ELF).
        reexports: Those of the libraries whose symbols it offers as its own (Mach-O).

    """

    architecture: str
    name: str | None = None
    libraries: tuple[str, ...] = ()
    delayed: tuple[str, ...] = ()
    run_paths: tuple[str, ...] = ()
    minimum_os: str | None = None
    systems: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    level: int = 1
    imports: tuple[Symbol, ...] = ()
    exports: tuple[Symbol, ...] = ()
    sections: tuple[Section, ...] = ()
    notes: tuple[Note, ...] = ()
    offset: int = 0
    signature: Section | None = None
    is_program: bool = False
    loading: Loading = Loading()
    reexports: tuple[str, ...] = ()


class Binary(NamedTuple):
    """A shared library, or a program.

    Attributes:
        format: ``ELF``, ``Mach-O`` or ``PE``.
        images: One for each architecture.

    """

    format: BinaryFormat
    images: tuple[Image, ...]

    @property
    def libraries(self) -> tuple[str, ...]:
        """The libraries that any architecture needs, at once or later, each once."""
        return _unique(name for image in self.images for name in (*image.libraries, *image.delayed))

    @property
    def is_program(self) -> bool:
        """Whether it is started and not loaded."""
        return all(image.is_program for image in self.images)

    @property
    def imported(self) -> tuple[str, ...]:
        """The names of the symbols that any architecture needs, each once."""
        return _unique(symbol.name for image in self.images for symbol in image.imports)

    @property
    def text_parts(self) -> list[tuple[int, int]]:
        """Where in the file texts can be: the beginnings and ends of what is no code, in order."""
        return self._parts_without(lambda section: section.is_code or section.is_device_code)

    @property
    def data_parts(self) -> list[tuple[int, int]]:
        """Where in the file data of the project can be: without what :attr:`text_parts` leaves out, and tables."""
        return self._parts_without(lambda part: part.is_code or part.is_device_code or part.is_for_tools)

    def _parts_without(self, is_left_out: Callable[[Section], bool]) -> list[tuple[int, int]]:
        sections = (section for image in self.images for section in image.sections)
        left_out = sorted((part.offset, part.offset + part.size) for part in sections if is_left_out(part))
        parts, start = [], 0
        for first, last in left_out:
            if start < first:
                parts.append((start, first))
            start = max(start, last)
        return [*parts, (start, sys.maxsize)]

    @property
    def exported(self) -> tuple[str, ...]:
        """The names of the symbols that any architecture offers, each once."""
        return _unique(symbol.name for image in self.images for symbol in image.exports)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


class Names:
    """Takes NUL-terminated strings out of a file, and notices when a file makes work out of nothing.

    Tables of a hostile file may name the same bytes over and over, and overlap. An honest one shares the ends of some
    names, so the sum of their lengths stays near the file's size; four times that is the limit, up to one that no
    library comes near. Rows of tables count as well.
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        self._left = min(4 * len(data), _MOST)

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
        self.count_bytes(end - offset + 16)
        return self._data[offset:end].decode("utf-8", "replace")

    def fixed(self, offset: int, size: int) -> str:
        """Return the string in a field of some bytes, which NULs fill up."""
        self.count_bytes(size)
        return self._data[offset : offset + size].partition(b"\0")[0].decode("utf-8", "replace")

    def count_bytes(self, size: int) -> None:
        """Count bytes that are read.

        Raises:
            ValueError: The file asks for too much.

        """
        self._left -= size
        if self._left < 0:
            raise ValueError(self._left)
