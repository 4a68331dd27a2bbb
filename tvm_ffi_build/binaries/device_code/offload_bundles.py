"""Bundles of clang: code objects of HIP for several GPUs, one after another, or compressed together.

The format is documented by "Clang Offload Bundler" (clang.llvm.org), the names by "AMDGPU backend, Target ID".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from .device_image import DeviceImage
from .prefixes import decode_zlib_prefix, decode_zstd_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..image import Data
    from .device_image import Compression, ImageKind

__all__ = ["BUNDLE_MAGIC", "COMPRESSED_MAGIC", "Bundle", "read_bundle"]

BUNDLE_MAGIC = b"__CLANG_OFFLOAD_BUNDLE__"
COMPRESSED_MAGIC = b"CCOB"
_COUNT = struct.Struct("<24sQ")
_ENTRY = struct.Struct("<QQQ")
_KINDS: dict[str, ImageKind] = {"amdgcn": "amdgpu", "spirv64": "spirv"}
# Real ones have one for each architecture and some features of it.
_MOST_ENTRIES = 1 << 12
_LONGEST_ID = 512
# In the header of a compressed bundle, by its version: size of all, size without compression; a hash follows.
_SIZES = {1: struct.Struct("<8xI"), 2: struct.Struct("<8xII"), 3: struct.Struct("<8xQQ")}
_METHODS: dict[int, Compression] = {0: "zlib", 1: "zstd"}
_LONGEST_HEAD = 1 << 20
# A header of that many bytes names more architectures than there are.
_PREFIX = 1 << 14


class Bundle(NamedTuple):
    """A bundle.

    Attributes:
        ids: What it has code for, as ``clang-offload-bundler --list`` prints it, the host included.
        images: The code for GPUs.
        end: Where it ends in the file.

    """

    ids: tuple[str, ...]
    images: tuple[DeviceImage, ...]
    end: int


class _Entry(NamedTuple):
    id: str
    offset: int
    size: int

    @property
    def is_host(self) -> bool:
        return self.id.startswith("host")


def read_bundle(data: Data, start: int, end: int) -> Bundle:
    """Read the bundle that begins somewhere in a file.

    Raises:
        ValueError, IndexError, struct.error: It is not one, is damaged, or compressed in an unknown way.

    """
    if data[start : start + len(COMPRESSED_MAGIC)] == COMPRESSED_MAGIC:
        return _read_compressed(data, start, end)
    entries = list(_read_entries(data[start : min(end, start + _LONGEST_HEAD)]))
    images = tuple(_read_image(entry, start + entry.offset, entry.size) for entry in entries if not entry.is_host)
    last = start + max(entry.offset + entry.size for entry in entries)
    # Those that lie upon each other make much of few bytes.
    if last > end or sum(image.size for image in images) > last - start:
        raise ValueError(start)
    return Bundle(tuple(entry.id for entry in entries), images, last)


def _read_compressed(data: Data, start: int, end: int) -> Bundle:
    version, number = struct.unpack_from("<4xHH", data, start)
    sizes = _SIZES[version].unpack_from(data, start) if version in _SIZES else ()
    if not sizes or number not in _METHODS:
        raise ValueError(version)
    # The first version does not say how long it is.
    last = end if version == 1 else start + sizes[0]
    body = start + _SIZES[version].size + 8
    if not body <= last <= end:
        raise ValueError(start)
    method = _METHODS[number]
    packed = data[body : min(last, body + (1 << 18))]
    prefix = (decode_zlib_prefix if method == "zlib" else decode_zstd_prefix)(packed, min(_PREFIX, sizes[-1]))
    entries = list(_read_entries(prefix))
    total = sum(entry.size for entry in entries if not entry.is_host)
    images = tuple(
        # They are compressed together, so this is the share of each.
        _read_image(entry, body, (last - body) * entry.size // total if total else 0)._replace(compression=method)
        for entry in entries
        if not entry.is_host
    )
    return Bundle(tuple(entry.id for entry in entries), images, last)


def _read_entries(head: bytes) -> Iterator[_Entry]:
    magic, count = _COUNT.unpack_from(head)
    if magic != BUNDLE_MAGIC or not 0 < count <= _MOST_ENTRIES:
        raise ValueError(count)
    position = _COUNT.size
    for _ in range(count):
        offset, size, length = _ENTRY.unpack_from(head, position)
        position += _ENTRY.size + length
        if length > _LONGEST_ID or position > len(head):
            raise ValueError(length)
        yield _Entry(head[position - length : position].decode("ascii", "replace"), offset, size)


def _read_image(entry: _Entry, offset: int, size: int) -> DeviceImage:
    """Describe an entry such as ``hipv4-amdgcn-amd-amdhsa--gfx90a:xnack-``."""
    # Vendor, system and environment, the last of which is mostly empty, stand between processor and target.
    _, processor, *rest = [*entry.id.split("-", 5), *[""] * 5]
    kind = _KINDS.get(processor)
    if kind is None or not rest[3]:
        return DeviceImage("unknown", "", offset, size, entry.size, note=f"code for {entry.id!r}")
    return DeviceImage(kind, rest[3], offset, size, entry.size)
