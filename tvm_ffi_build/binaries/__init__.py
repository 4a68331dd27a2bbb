"""What a shared library asks of others and offers them, read from its bytes: ELF, Mach-O and PE, on any host.

Nothing is loaded or run, and only the tables that answer the question are read.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

from ..errors import UnreadableBinaryError
from . import elf, macho, pe
from ._imports import Imports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType
    from typing import TypeVar

    T = TypeVar("T")

__all__ = ["Imports", "read_exports", "read_imports"]


def read_imports(path: Path) -> Imports:
    """Return the libraries and symbols that a shared library needs.

    Raises:
        UnreadableBinaryError: The file cannot be read, is none of the three formats, or is cut short.

    """
    return _read(path, {elf: elf.imports, macho: macho.imports, pe: pe.imports})


def read_exports(path: Path) -> tuple[str, ...]:
    """Return the symbols that a shared library defines for others, without the underscore that Mach-O puts before them.

    Raises:
        UnreadableBinaryError: As :func:`read_imports`.

    """
    return _read(path, {elf: elf.exports, macho: macho.exports, pe: pe.exports})


def _read(path: Path, readers: dict[ModuleType, Callable[[mmap.mmap], T]]) -> T:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for reader, read in readers.items():
                if reader.matches(data):
                    return read(data)
    except OSError as error:
        raise UnreadableBinaryError(f"{path} cannot be read: {error.strerror}") from None
    # An empty file cannot be mapped (ValueError); a truncated one leads out of the file, or to nonsense.
    except (struct.error, ValueError, LookupError, OverflowError):
        raise UnreadableBinaryError(
            f"{path} is no shared library, or cut short or damaged; build or download it again"
        ) from None
    raise UnreadableBinaryError(f"{path} is no ELF, Mach-O or PE library")
