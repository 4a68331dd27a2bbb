"""Zip archives, written: new members, and members of other archives whose bytes are taken as they are.

:mod:`zipfile` can only compress again, which takes most of the time of a repair. Written by APPNOTE.TXT of PKWARE,
sections 4.3 and 4.5.3 (ZIP64); the same members give the same bytes.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

__all__ = ["ArchiveWriter"]

_MOST_16 = 0xFFFF
_MOST_32 = 0xFFFFFFFF
_UTF_8 = 0x800
# A version that knows ZIP64 is 4.5; 2.0 knows deflation (APPNOTE.TXT 4.4.3.2).
_PLAIN, _ZIP64 = 20, 45
_UNIX = 3
_FILE = 0o100644 << 16


class _Entry(NamedTuple):
    """What the directory will say of a member."""

    name: bytes
    method: int
    time: tuple[int, int]
    crc: int
    compressed: int
    size: int
    system: int
    attributes: int
    offset: int

    @property
    def extra(self) -> bytes:
        large = [value for value in (self.size, self.compressed) if self.is_large] + (
            [self.offset] if self.offset >= _MOST_32 else []
        )
        return struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""

    @property
    def is_large(self) -> bool:
        return max(self.size, self.compressed) >= _MOST_32

    def _pack_common_fields(self, extra: bytes) -> bytes:
        """Return what stands in both headers: from the needed version to the length of the extra field."""
        sizes = (_MOST_32, _MOST_32) if self.is_large else (self.compressed, self.size)
        flags = 0 if self.name.isascii() else _UTF_8
        version = _ZIP64 if extra else _PLAIN
        return struct.pack(
            "<5H3I2H", version, flags, self.method, *self.time, self.crc, *sizes, len(self.name), len(extra)
        )

    def local_header(self) -> bytes:
        extra = self._replace(offset=0).extra
        return b"PK\3\4" + self._pack_common_fields(extra) + self.name + extra

    def directory_entry(self) -> bytes:
        extra = self.extra
        made_by = self.system << 8 | (_ZIP64 if extra else _PLAIN)
        tail = struct.pack("<HHHII", 0, 0, 0, self.attributes, min(self.offset, _MOST_32))
        return b"PK\1\2" + struct.pack("<H", made_by) + self._pack_common_fields(extra) + tail + self.name + extra


class ArchiveWriter:
    """Writes an archive into a file, which is complete after :meth:`finish`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._entries: list[_Entry] = []
        self._position = 0

    def copy(self, member: zipfile.ZipInfo, pieces: Iterable[bytes], *, stored: bool = False) -> None:
        """Add a member of another archive.

        Args:
            member: What that archive's directory says of it.
            pieces: Its bytes as they lie there; if it is to be stored, its contents.
            stored: Whether to write it without compression.

        """
        self._begin(
            _Entry(
                name=member.filename.encode(),
                method=zipfile.ZIP_STORED if stored else member.compress_type,
                time=_pack_dos_time(member.date_time),
                crc=member.CRC,
                compressed=member.file_size if stored else member.compress_size,
                size=member.file_size,
                system=member.create_system,
                attributes=member.external_attr,
                offset=self._position,
            )
        )
        for piece in pieces:
            self._write(piece)

    def add(
        self,
        name: str,
        content: bytes,
        time: tuple[int, int, int, int, int, int],
        before: zipfile.ZipInfo | None = None,
    ) -> None:
        """Add a new member, deflated.

        Args:
            name: Its path, with ``/``.
            content: Its contents.
            time: Year, month, day, hour, minute and second of its last change.
            before: The member that it stands for, which says who may do what with it; without one it is a plain file.

        """
        deflate = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
        compressed = deflate.compress(content) + deflate.flush()
        self._begin(
            _Entry(
                name=name.encode(),
                method=zipfile.ZIP_DEFLATED,
                time=_pack_dos_time(time),
                crc=zlib.crc32(content),
                compressed=len(compressed),
                size=len(content),
                system=before.create_system if before else _UNIX,
                attributes=before.external_attr if before else _FILE,
                offset=self._position,
            )
        )
        self._write(compressed)

    def finish(self) -> None:
        """Write the directory, which stands at the end."""
        start, count = self._position, len(self._entries)
        for entry in self._entries:
            self._write(entry.directory_entry())
        size = self._position - start
        if count >= _MOST_16 or max(size, start) >= _MOST_32:
            record = struct.pack("<QHHIIQQQQ", 44, _UNIX << 8 | _ZIP64, _ZIP64, 0, 0, count, count, size, start)
            locator = struct.pack("<IQI", 0, self._position, 1)
            self._write(b"PK\6\6" + record + b"PK\6\7" + locator)
        counts = (min(count, _MOST_16), min(count, _MOST_16))
        places = (min(size, _MOST_32), min(start, _MOST_32))
        self._write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, *counts, *places, 0))

    def _begin(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._write(entry.local_header())

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._position += len(data)


def _pack_dos_time(time: tuple[int, int, int, int, int, int]) -> tuple[int, int]:
    """Return time and date as zip archives have them, two seconds exact."""
    year, month, day, hour, minute, second = time
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
