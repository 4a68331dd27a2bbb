"""Zip archives, read as what strangers send: APPNOTE.TXT of PKWARE, and only what wheels need of it.

An archive is refused as a whole before anything of it is used: names that lead out of a folder, members that are
there twice, lie upon each other or are no plain files, encryption, and contents out of proportion.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from operator import eq
from typing import TYPE_CHECKING

from ..errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["Archive", "open_archive"]

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 1
# Backslashes and drives mean something on Windows, control characters nothing good anywhere.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|\ud800-\udfff]')
# More than any wheel unpacks to, and more than machine code shrinks by: a library of zeros alone shrinks 1000 times.
_LARGEST = 32 << 30
_SMALL = 64 << 20
_DENSEST = 200
_CHUNK = 1 << 20


class Archive:
    """A zip archive that has been checked.

    Attributes:
        path: Where it is.
        members: The directory's entries by name, in its order.

    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = archive
        self.members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            if member.filename in self.members:
                raise WheelError(f"{path.name} has {_shown(member.filename)} twice; build it again")
            self._check(member)
            self.members[member.filename] = member
        if sum(member.file_size for member in self.members.values()) > _LARGEST:
            raise WheelError(f"{path.name} unpacks to more than {_LARGEST >> 30} GiB, as no wheel does; do not use it")
        self._check_places()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a member's contents, piece by piece.

        Raises:
            WheelError: They are damaged, or not what the directory says of them.

        """
        size = self.members[name].file_size
        try:
            with self._zip.open(self.members[name]) as file:
                while piece := file.read(_CHUNK):
                    size -= len(piece)
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, UnicodeDecodeError) as error:
            raise WheelError(f"{self.path.name} is damaged at {_shown(name)}: {error}; get or build it again") from None
        if size:
            raise WheelError(f"{self.path.name} is damaged: {_shown(name)} is cut short; get or build it again")

    def raw_chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member as they lie in the archive, compressed or not."""
        start, end = self._place(self.members[name])
        with self.path.open("rb") as file:
            file.seek(start)
            while start < end and (piece := file.read(min(_CHUNK, end - start))):
                start += len(piece)
                yield piece
        if start < end:
            raise WheelError(f"{self.path.name} was cut short while it was read; try again")

    def has_same(self, name: str, other: Archive) -> bool:
        """Say whether a member lies in another archive as the same bytes."""
        mine, its = self.members[name], other.members.get(name)
        if its is None or (mine.compress_type, mine.CRC, mine.file_size) != (its.compress_type, its.CRC, its.file_size):
            return False
        return mine.compress_size == its.compress_size and all(map(eq, self.raw_chunks(name), other.raw_chunks(name)))

    def _check(self, member: zipfile.ZipInfo) -> None:
        """Refuse what no wheel has."""
        name = member.filename
        shown = f"{self.path.name} holds {_shown(name)}"
        # orig_filename: zipfile cuts a name off at a NUL.
        parts = name.removesuffix("/").split("/")
        if _UNSAFE.search(member.orig_filename) or any(part in {"", ".", ".."} for part in parts):
            raise WheelError(f"{shown}, a name that could lead out of a folder; do not use it")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (kind == stat.S_IFDIR) > name.endswith("/"):
            raise WheelError(f"{shown}, a link or device; wheels hold plain files only")
        if member.flag_bits & _ENCRYPTED:
            raise WheelError(f"{shown}, which is encrypted; wheels are not")
        if member.compress_type not in _METHODS:
            raise WheelError(f"{shown}, compressed by method {member.compress_type}; wheels are deflated or stored")
        if member.file_size > max(_SMALL, _DENSEST * member.compress_size):
            raise WheelError(f"{shown}, {member.file_size >> 20} MiB made of nearly nothing; do not use it")

    def _check_places(self) -> None:
        """Refuse members that share bytes: each inflates, and the archive stays small."""
        places = sorted((member.header_offset, self._place(member)[1]) for member in self.members.values())
        for (_, end), (following, _) in zip(places, places[1:]):
            if following < end:
                raise WheelError(f"{self.path.name} has members that lie upon each other; do not use it")

    def _place(self, member: zipfile.ZipInfo) -> tuple[int, int]:
        """Return where a member's bytes begin and end."""
        with self.path.open("rb") as file:
            file.seek(member.header_offset)
            header = file.read(30)
        if len(header) != 30 or header[:4] != b"PK\3\4":
            raise WheelError(f"{self.path.name} is damaged at {_shown(member.filename)}; get or build it again")
        # The name and the extra field stand here once more, maybe of other lengths than in the directory.
        start = member.header_offset + 30 + sum(struct.unpack_from("<HH", header, 26))
        end = start + member.compress_size
        if end > self._zip.start_dir:
            raise WheelError(f"{self.path.name} is damaged at {_shown(member.filename)}; get or build it again")
        return start, end


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open and check an archive.

    Raises:
        WheelError: It cannot be read, is no zip archive, or is one that no honest tool makes.

    """
    try:
        file: IO[bytes] = path.open("rb")
    except OSError as error:
        raise WheelError(f"{path} cannot be read: {error.strerror}") from None
    with file:
        try:
            archive = zipfile.ZipFile(file)
        # What zipfile says of hostile directories is not always that they are.
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError, OSError):
            raise WheelError(f"{path.name} is no zip archive, or a damaged one; get or build it again") from None
        with archive:
            yield Archive(path, archive)


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:77]}...")
