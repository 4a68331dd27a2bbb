"""Zip archives, read as what strangers send: APPNOTE.TXT of PKWARE, and only what wheels need of it.

An archive is refused as a whole before anything of it is used: names that lead out of a folder, members that are
there twice, lie upon each other or are no plain files, encryption, and contents out of proportion.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from operator import eq
from typing import TYPE_CHECKING

from ..errors import WheelError
from ..host.regular_files import NotRegularError, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["Archive", "escape", "open_archive"]

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# Encrypted, a patch of another file, strongly encrypted, a directory that is masked (APPNOTE.TXT 4.4.4).
_UNREADABLE = 0x1 | 0x20 | 0x40 | 0x2000
# Sizes and checksum follow the bytes; before them stand zeros (APPNOTE.TXT 4.3.9).
_STREAMED = 0x8
_UTF_8 = 0x800
# The end of central directory record, that of ZIP64 and the locator of that (APPNOTE.TXT 4.3.14 to 4.3.16).
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
# Of an entry of the directory, without what has a length of its own (4.3.12).
_ENTRY_SIZE = 46
# What follows a streamed member: a signature that is optional, checksum and sizes, which ZIP64 doubles (4.3.9).
_DESCRIPTORS = tuple(struct.Struct(f"<{signature}L2{size}") for size in "LQ" for signature in ("4s", ""))
# Stands for a number that the extra field has (ZIP64, APPNOTE.TXT 4.5.3).
_ELSEWHERE = 0xFFFFFFFF
# Backslashes and drives mean something on Windows, which APPNOTE.TXT 4.4.17 rules out; control characters are nothing
# good anywhere.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|\ud800-\udfff]')
# What folders and systems take, in bytes.
_LONGEST_PART, _LONGEST_NAME = 255, 1024
# More than any wheel unpacks to, and more than machine code shrinks by: a library of zeros alone shrinks 1000 times.
_LARGEST = 32 << 30
_SMALL = 64 << 20
_DENSEST = 200
_CHUNK = 1 << 18
# Nothing, deflated.
_EMPTY = b"\3\0"


class Archive:
    """A zip archive that has been checked.

    Attributes:
        path: Where it is.
        members: The directory's entries by name, in its order.

    """

    def __init__(self, path: Path, file: IO[bytes], archive: zipfile.ZipFile) -> None:
        self.path = path
        self._file = file
        self._end = archive.start_dir
        self.members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            if member.filename in self.members:
                raise WheelError(f"{path.name} has {escape(member.filename)} twice", "build it again")
            self._check(member)
            self.members[member.filename] = member
        self._check_sizes()
        self._check_folders()
        self._check_directory(archive)
        self._places = {name: self._place(member) for name, member in self.members.items()}
        self._check_places()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a member's contents, piece by piece.

        Raises:
            WheelError: They are damaged, or not what the directory says of them.

        """
        member = self.members[name]
        size = checksum = 0
        raw = self.raw_chunks(name)
        try:
            for piece in raw if member.compress_type == zipfile.ZIP_STORED else _inflated(raw):
                size += len(piece)
                if size > member.file_size:
                    break
                checksum = zlib.crc32(piece, checksum)
                yield piece
        except zlib.error as error:
            raise self._damaged(name, f": {error}") from None
        if size != member.file_size:
            raise self._damaged(name, f": it does not have the {member.file_size} bytes that the directory says")
        if checksum != member.CRC:
            raise self._damaged(name, ": its checksum is wrong")

    def raw_chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member as they lie in the archive, compressed or not."""
        start, end = self._places[name]
        while start < end:
            piece = self._read(start, min(_CHUNK, end - start))
            if not piece:
                raise WheelError(f"{self.path.name} was cut short while it was read", "try again")
            start += len(piece)
            yield piece

    def has_same(self, name: str, other: Archive) -> bool:
        """Say whether a member lies in another archive as the same bytes."""
        mine, its = self.members[name], other.members.get(name)
        if its is None or (mine.compress_type, mine.CRC, mine.file_size) != (its.compress_type, its.CRC, its.file_size):
            return False
        return mine.compress_size == its.compress_size and all(map(eq, self.raw_chunks(name), other.raw_chunks(name)))

    def _check(self, member: zipfile.ZipInfo) -> None:
        """Refuse what no wheel has."""
        name = member.filename
        holds = f"{self.path.name} holds {escape(name)}"
        parts = name.removesuffix("/").split("/")
        # zipfile cuts a name off at a NUL, and takes another one from an extra field (APPNOTE.TXT 4.6.9).
        if _UNSAFE.search(name) or name != member.orig_filename or any(part in {"", ".", ".."} for part in parts):
            raise WheelError(f"{holds}, a name that could lead out of a directory", "do not use it")
        if len(name.encode()) > _LONGEST_NAME or max(len(part.encode()) for part in parts) > _LONGEST_PART:
            raise WheelError(f"{holds}, a name too long for many systems", "build it again with a shorter one")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (kind == stat.S_IFDIR) > name.endswith("/"):
            raise WheelError(f"{holds}, a link or device", "wheels hold plain files only")
        if member.flag_bits & _UNREADABLE:
            raise WheelError(f"{holds}, which is encrypted or a patch", "wheels hold plain files only")
        if member.compress_type not in _METHODS:
            raise WheelError(f"{holds}, compressed by method {member.compress_type}", "wheels are deflated or stored")
        if member.file_size > max(_SMALL, _DENSEST * member.compress_size):
            raise WheelError(
                f"{holds}, {member.file_size >> 20} MiB with a suspicious compression ratio", "do not use it"
            )

        if name.endswith("/") and (member.file_size or member.compress_size > len(_EMPTY)):
            raise WheelError(f"{holds}, a directory with contents", "do not use it")

    def _check_sizes(self) -> None:
        """Refuse what unpacks to more than disks have; many members may do what one must not."""
        size = sum(member.file_size for member in self.members.values())
        if size > _LARGEST:
            raise WheelError(
                f"{self.path.name} unpacks to more than {_LARGEST >> 30} GiB, as no wheel does", "do not use it"
            )
        if size > max(_SMALL, _DENSEST * sum(member.compress_size for member in self.members.values())):
            raise WheelError(
                f"{self.path.name} unpacks to {size >> 20} MiB with a suspicious compression ratio", "do not use it"
            )

    def _check_folders(self) -> None:
        """Refuse a name that is a file's and a folder's."""
        folders: set[str] = set()
        for name in self.members:
            folder = name.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        for name in sorted(folders & self.members.keys()):
            raise WheelError(f"{self.path.name} has {escape(name)} as file and directory", "build it again")

    def _check_places(self) -> None:
        """Refuse bytes that are no member's, or several members': readers that go by other headers see other files."""
        places = [(member.header_offset, self._places[name][1], name) for name, member in self.members.items()]
        in_file = sorted(places)
        for (_, end, _), (start, _, _) in zip(in_file, in_file[1:]):
            if start < end:
                raise WheelError(f"{self.path.name} has members that lie upon each other", "do not use it")
        ends = {0}
        for start, end, name in in_file:
            if start not in ends:
                raise self._foreign_bytes(f"before {escape(name)}")
            ends = {end, *self._find_descriptor_ends(self.members[name], end)}
        if self._end not in ends:
            raise self._foreign_bytes("before its directory")
        if in_file != places:
            raise WheelError(f"{self.path.name} has members in another order than its directory", "build it again")

    def _find_descriptor_ends(self, member: zipfile.ZipInfo, at: int) -> Iterator[int]:
        """Yield where what follows the bytes of a streamed member may end; a short form may begin like a long one."""
        if not member.flag_bits & _STREAMED:
            return
        numbers = (member.CRC, member.compress_size, member.file_size)
        for form in _DESCRIPTORS:
            read = self._read(at, min(form.size, self._end - at))
            if len(read) == form.size:
                *signature, checksum, compressed, size = form.unpack(read)
                if (checksum, compressed, size) == numbers and signature in ([], [b"PK\7\x08"]):
                    yield at + form.size

    def _check_directory(self, archive: zipfile.ZipFile) -> None:
        """Refuse an end of the archive that others take for another one, or that counts other members."""
        size = self._file.seek(0, os.SEEK_END)
        end = size - _END.size - len(archive.comment)
        signature, *disks, count, length, _, _ = _END.unpack(self._read(end, _END.size))
        at = end - _LOCATOR_64.size
        if at >= _END_64.size and self._read(at, 4) == b"PK\6\7":
            at -= _END_64.size
            record = _END_64.unpack(self._read(at, _END_64.size))
            count, length = record[7], record[8]
        else:
            at = end
        entries = sum(
            _ENTRY_SIZE + len(_encode_name(entry)) + len(entry.extra) + len(entry.comment) for entry in archive.filelist
        )
        if signature != b"PK\5\6" or b"PK" in archive.comment or any(disks[:2]):
            raise self._foreign_bytes("behind its directory")
        if not (count == len(archive.filelist) and length == entries and self._end + length == at):
            raise WheelError(f"{self.path.name} has a directory whose size or count is wrong", "do not use it")

    def _foreign_bytes(self, where: str) -> WheelError:
        return WheelError(f"{self.path.name} has bytes {where} that belong to no member", "do not use it")

    def _place(self, member: zipfile.ZipInfo) -> tuple[int, int]:
        """Return where a member's bytes begin and end.

        Raises:
            WheelError: The header before them is not what the directory says, so that others would read other files.

        """
        at, name = member.header_offset, member.orig_filename
        encoded = _encode_name(member)
        header = self._read(at, 30 + len(encoded)) if 0 <= at < self._end else b""
        if len(header) != 30 + len(encoded) or header[:4] != b"PK\3\4" or header[30:] != encoded:
            raise self._damaged(name)
        flags, method, *said, name_length, extra_length = struct.unpack_from("<6xHH4xIIIHH", header)
        known = (member.CRC, member.compress_size, member.file_size)
        # A streamed member has zeros here; some tools write what is right all the same.
        others = {0, _ELSEWHERE} if flags & _STREAMED else {_ELSEWHERE}
        agrees = all(it == number or it in others for it, number in zip(said, known))
        start = at + 30 + name_length + extra_length
        end = start + member.compress_size
        if not agrees or method != member.compress_type or name_length != len(encoded) or end > self._end:
            raise self._damaged(name)
        return start, end

    def _read(self, offset: int, size: int) -> bytes:
        # Always from the file that was checked, whatever has its name by now.
        try:
            self._file.seek(offset)
            return self._file.read(size)
        except OSError as error:
            raise WheelError(f"{self.path} cannot be read: {error.strerror}") from None

    def _damaged(self, name: str, reason: str = "") -> WheelError:
        return WheelError(f"{self.path.name} is damaged at {escape(name)}{reason}", "get or build it again")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open and check an archive.

    Raises:
        WheelError: It cannot be read, is no zip archive, or is one that no honest tool makes.

    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(open_regular(path))
        except NotRegularError:
            raise WheelError(f"{path} is not a file", "pass a wheel or a directory with wheels") from None
        except OSError as error:
            raise WheelError(f"{path} cannot be read: {error.strerror}") from None
        try:
            archive = zipfile.ZipFile(file)
        # What zipfile says of hostile directories is not always that they are.
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError, OSError):
            raise WheelError(f"{path.name} is not a zip archive, or is damaged", "get or build it again") from None
        with archive:
            yield Archive(path, file, archive)


def escape(text: str) -> str:
    """Return what a stranger wrote as it may stand in a message: short, and nothing that a terminal obeys."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _encode_name(member: zipfile.ZipInfo) -> bytes:
    return member.orig_filename.encode("utf-8" if member.flag_bits & _UTF_8 else "cp437")


def _inflated(raw: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what deflated bytes become, all of them: what is copied as it lies must hold nothing that was not seen.

    Raises:
        zlib.error: They are none, end early, or go on behind the end.

    """
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in raw:
        rest = piece
        while rest and not inflate.eof:
            yield inflate.decompress(rest, _CHUNK)
            rest = inflate.unconsumed_tail
        if rest or inflate.unused_data:
            raise zlib.error("bytes behind its end")
    yield inflate.flush()
    if not inflate.eof:
        raise zlib.error("it is cut short")
