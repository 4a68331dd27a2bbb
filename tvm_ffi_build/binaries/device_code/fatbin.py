"""Fatbins: containers of CUDA's device code, one entry for each architecture and form of it.

NVIDIA documents how they are made (``nvFatbin``, ``fatbinary``), not how they are stored. What is read here was derived
from files of nvcc 11.8 to 13.5, and is compared with what ``cuobjdump`` says of them by
``tests/build/test_device_code.py``. A container or an entry that is not of this form is reported as unknown.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from ...platforms.cuda_architectures import CudaArchitecture
from .device_image import DeviceImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..image import Data
    from .device_image import Compression, ImageKind

__all__ = ["FATBIN_MAGIC", "find_fatbin_end", "read_fatbin"]

FATBIN_MAGIC = b"\x50\xed\x55\xba"
_VERSION = 1
_HEADER = struct.Struct("<4sHHQ")
# Kind, version, size of the header, size of what follows it, of which the compressed code takes so much; minor and
# major version, architecture; flags; size of the code without compression.
_ENTRY = struct.Struct("<HHIQI4xHHI8xQ8xQ")
_ENTRY_VERSION = 0x101
_KINDS: dict[int, ImageKind] = {1: "ptx", 2: "cubin", 8: "lto-ir", 128: "tile-ir"}
_DEBUG = 1 << 1
_LZ4, _ZSTD = 1 << 13, 1 << 15
_SPECIFIC, _FAMILY = 1 << 20, 1 << 21


class _Entry(NamedTuple):
    kind: int
    version: int
    header_size: int
    size: int
    compressed_size: int
    minor: int
    major: int
    architecture: int
    flags: int
    unpacked_size: int


def find_fatbin_end(data: Data, start: int, end: int) -> int:
    """Return where the fatbin ends that begins somewhere in a file.

    Raises:
        ValueError, struct.error: It is not a fatbin, or not whole.

    """
    magic, _, header_size, size = _HEADER.unpack_from(data, start)
    if magic != FATBIN_MAGIC or header_size < _HEADER.size or start + header_size + size > end:
        raise ValueError(start)
    return int(start + header_size + size)


def read_fatbin(data: Data, start: int, end: int) -> Iterator[DeviceImage]:
    """Yield the code in a fatbin.

    Raises:
        ValueError, struct.error: It is damaged.

    """
    end = find_fatbin_end(data, start, end)
    _, version, header_size, size = _HEADER.unpack_from(data, start)
    if version != _VERSION:
        yield DeviceImage("unknown", "", start, end - start, size, note=f"a fatbin of version {version}")
        return
    position = start + header_size
    while position < end:
        entry = _Entry(*_ENTRY.unpack_from(data, position))
        following = position + entry.header_size + entry.size
        if entry.header_size < _ENTRY.size or following > end or entry.compressed_size > entry.size:
            raise ValueError(position)
        yield _read_image(position + entry.header_size, entry)
        position = following


def _read_image(start: int, entry: _Entry) -> DeviceImage:
    kind = _KINDS.get(entry.kind, "unknown")
    if kind == "unknown" or entry.version != _ENTRY_VERSION:
        note = f"a fatbin entry of kind {entry.kind}, version {entry.version:#x}"
        return DeviceImage("unknown", "", start, entry.size, entry.size, note=note)
    compression: Compression = "lz4" if entry.flags & _LZ4 else "zstd" if entry.flags & _ZSTD else "none"
    suffix = "a" if entry.flags & _SPECIFIC else "f" if entry.flags & _FAMILY else ""
    target = CudaArchitecture.of_number(entry.architecture, suffix).number
    return DeviceImage(
        kind,
        f"sm_{target}" if kind == "cubin" else f"compute_{target}",
        start,
        entry.compressed_size if compression != "none" else entry.size,
        entry.unpacked_size if compression != "none" else entry.size,
        compression,
        isa=(entry.major, entry.minor) if kind == "ptx" else None,
        is_debug=bool(entry.flags & _DEBUG),
    )
