"""Open files that others named or made: nothing but regular files, and no more of them than fits."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NotRegularError", "open_regular", "read_regular", "read_regular_text"]

# Bytes: no file that a person wrote or a registry of functions is larger.
_LARGEST = 64 << 20


class NotRegularError(OSError):
    """A pipe, a device, a socket or a directory where a file was expected."""


@contextmanager
def open_regular(path: str | os.PathLike[str], *, follow_links: bool = True) -> Iterator[IO[bytes]]:
    """Open a file for reading, unless it is a pipe, a device, a socket or a directory.

    What the path names is checked on the descriptor, because it may be replaced after a check by name.

    Args:
        path: The file.
        follow_links: Whether the path may be a symbolic link.

    Raises:
        NotRegularError: It is not a regular file.
        OSError: It cannot be opened.

    """
    # Without O_NONBLOCK, opening a named pipe waits for a writer (open(2)); Windows has neither.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    if not follow_links:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegularError(errno.EINVAL, "it is not a regular file", os.fspath(path))
        file = os.fdopen(descriptor, "rb", closefd=False)
        with file:
            yield file
    finally:
        os.close(descriptor)


def read_regular(path: str | os.PathLike[str], *, largest: int = _LARGEST, follow_links: bool = True) -> bytes:
    """Return the contents of a file, as :func:`open_regular` opens it.

    Args:
        path: The file.
        largest: The most bytes that it may have.
        follow_links: Whether the path may be a symbolic link.

    Raises:
        OSError: It cannot be read, is not a regular file, or is larger.

    """
    with open_regular(path, follow_links=follow_links) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest >> 20} MiB", os.fspath(path))
    return content


def read_regular_text(path: str | os.PathLike[str], *, largest: int = _LARGEST, follow_links: bool = True) -> str:
    """Return the text of a UTF-8 file with line feeds, as :func:`read_regular` reads it.

    Raises:
        OSError: It cannot be read, is not a regular file, or is larger.
        UnicodeDecodeError: It is not UTF-8.

    """
    text = read_regular(path, largest=largest, follow_links=follow_links).decode("utf-8")
    # As Path.read_text does.
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
