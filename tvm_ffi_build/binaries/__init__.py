"""What a shared library asks of others and offers them, read from its bytes: ELF, Mach-O and PE, on any host.

Nothing is loaded or run, and only the tables that answer the question are read: a library may be larger than memory.
"""

from __future__ import annotations

import mmap
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import UnreadableBinaryError
from . import elf, macho, pe
from .image import Binary, Image, Loading, Note, Section, Segment, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from ..platforms.systems import BinaryFormat
    from .image import Data

__all__ = [
    "Binary",
    "Image",
    "Loading",
    "Note",
    "Section",
    "Segment",
    "Symbol",
    "map_binary",
    "parse_binary",
    "read_binary",
]

_READERS: dict[BinaryFormat, ModuleType] = {"ELF": elf, "Mach-O": macho, "PE": pe}


def read_binary(path: Path) -> Binary:
    """Return what a shared library says of itself.

    Raises:
        UnreadableBinaryError: The file cannot be read, is none of the three formats, or is cut short.

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
        if path.exists() and not path.is_file():  # a pipe would wait for a writer
            raise UnreadableBinaryError("is no file", "name a library", about=str(path))
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise UnreadableBinaryError(f"cannot be read: {error.strerror}", about=str(path)) from None
    except ValueError:
        raise UnreadableBinaryError("is empty", "build or download it again", about=str(path)) from None
    with data:
        yield data


def parse_binary(data: Data, name: str) -> Binary:
    """Return what the bytes of a shared library say.

    Args:
        data: The library.
        name: What to call it in messages.

    Raises:
        UnreadableBinaryError: It is none of the three formats, or is cut short.

    """
    try:
        for format_, reader in _READERS.items():
            if reader.matches(data):
                return Binary(format_, reader.images(data))
    # A truncated one leads out of the file, or to nonsense.
    except (struct.error, ValueError, LookupError, OverflowError):
        raise UnreadableBinaryError(
            "is no shared library, or cut short or damaged", "build or download it again", about=name
        ) from None
    raise UnreadableBinaryError("is no ELF, Mach-O or PE library", about=name)
