"""What a shared library or program asks of others and offers them, read from its bytes: ELF, Mach-O and PE.

What a file is, its bytes say and not its name: this package is the one place that decides it. Nothing is loaded or
run, and only the tables that answer the question are read: a library may be larger than memory.
"""

from __future__ import annotations

import mmap
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import UnreadableBinaryError
from ..host.regular_files import NotRegularError, open_regular
from . import elf, macho, pe, static_library
from .image import Binary, FileKind, Image, Loading, Note, Section, Segment, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from ..platforms.systems import BinaryFormat
    from .image import Data

__all__ = [
    "Binary",
    "FileKind",
    "Image",
    "Loading",
    "Note",
    "Section",
    "Segment",
    "Symbol",
    "described",
    "kind_of",
    "kind_of_file",
    "map_binary",
    "may_be_binary",
    "parse_binary",
    "read_binary",
]

_READERS: dict[BinaryFormat, ModuleType] = {"ELF": elf, "Mach-O": macho, "PE": pe}
_MAGICS = (*elf.MAGICS, *macho.MAGICS, *pe.MAGICS, *static_library.MAGICS)


def may_be_binary(head: bytes) -> bool:
    r"""Say whether a file can be one that :func:`kind_of` knows, by its first eight bytes.

    >>> may_be_binary(b"\x7fELF\2\1\1\0"), may_be_binary(b"MZ is a text"), may_be_binary(b"import os")
    (True, True, False)
    """
    return head.startswith(_MAGICS)


def kind_of(data: Data) -> FileKind | None:
    """Return what a file is, or None if it is not of a linker's formats."""
    for reader in (elf, macho, pe, static_library):
        kind: FileKind | None = reader.kind_of(data)
        if kind is not None:
            return kind
    return None


def kind_of_file(path: Path) -> FileKind | None:
    """Return what a file on disk is, as :func:`kind_of` does.

    Raises:
        UnreadableBinaryError: It cannot be read.

    """
    if not (path.is_file() and path.stat().st_size):
        return None
    with map_binary(path) as data:
        return kind_of(data)


def read_binary(path: Path) -> Binary:
    """Return what a shared library or program says of itself.

    Raises:
        UnreadableBinaryError: The file cannot be read, is not loadable (see :func:`kind_of`), or is cut short.

    """
    with map_binary(path) as data:
        return parse_binary(data, str(path))


@contextmanager
def map_binary(path: Path) -> Iterator[mmap.mmap]:
    """Give the bytes of a library, without reading those that nobody looks at.

    Raises:
        UnreadableBinaryError: The file cannot be read, or is empty.

    """
    try:
        with open_regular(path) as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except NotRegularError:
        raise UnreadableBinaryError("is not a file", "name a library", about=str(path)) from None
    except OSError as error:
        raise UnreadableBinaryError(f"cannot be read: {error.strerror}", about=str(path)) from None
    except ValueError:
        raise UnreadableBinaryError("is empty", "build or download it again", about=str(path)) from None
    with data:
        yield data


def parse_binary(data: Data, name: str) -> Binary:
    """Return what the bytes of a shared library or program say.

    Args:
        data: The file.
        name: What to call it in messages.

    Raises:
        UnreadableBinaryError: It is not loadable (see :func:`kind_of`), or is cut short.

    """
    kinds = ((format_, reader.kind_of(data)) for format_, reader in _READERS.items())
    format_, kind = next((known for known in kinds if known[1]), (None, static_library.kind_of(data)))
    if kind is None:
        raise UnreadableBinaryError("is not an ELF, Mach-O or PE library", about=name)
    if kind != "loadable" or format_ is None:
        raise UnreadableBinaryError(
            f"is not a shared library but {described(kind)}", "name a shared library", about=name
        )
    try:
        return Binary(format_, _READERS[format_].images(data))
    # A truncated one leads out of the file, or to nonsense.
    except (struct.error, ValueError, LookupError, OverflowError):
        raise UnreadableBinaryError(
            "is not a shared library, or is cut short or damaged", "build or download it again", about=name
        ) from None


def described(kind: FileKind) -> str:
    """Return a kind of file as it is called in a sentence.

    >>> described("object file"), described("device code")
    ('an object file', 'device code')
    """
    if kind in {"debug symbols", "device code"}:
        return kind
    return f"{'an' if kind.startswith('o') else 'a'} {kind}"
