"""What a shared library asks of others and offers them, read from its bytes: ELF, Mach-O and PE, on any host.

Nothing is loaded or run, and only the tables that answer the question are read: a library may be larger than memory.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

from ..errors import UnreadableBinaryError
from . import elf, macho, pe
from .image import Binary, Image, Section, Symbol

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Binary", "Image", "Section", "Symbol", "read_binary"]

_READERS = {"ELF": elf, "Mach-O": macho, "PE": pe}


def read_binary(path: Path) -> Binary:
    """Return what a shared library says of itself.

    Raises:
        UnreadableBinaryError: The file cannot be read, is none of the three formats, or is cut short.

    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for name, reader in _READERS.items():
                if reader.matches(data):
                    return Binary(name, reader.images(data))
    except OSError as error:
        raise UnreadableBinaryError(f"{path} cannot be read: {error.strerror}") from None
    # An empty file cannot be mapped (ValueError); a truncated one leads out of the file, or to nonsense.
    except (struct.error, ValueError, LookupError, OverflowError):
        raise UnreadableBinaryError(
            f"{path} is no shared library, or cut short or damaged; build or download it again"
        ) from None
    raise UnreadableBinaryError(f"{path} is no ELF, Mach-O or PE library")
