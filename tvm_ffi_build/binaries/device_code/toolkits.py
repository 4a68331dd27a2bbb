"""Which CUDA toolkits compiled some device code: the header or a note of cubins tells, and the head of PTX."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .cubin import find_toolkit, read_cubin
from .prefixes import decode_lz4_prefix, decode_zstd_prefix
from .ptx import find_ptx_toolkit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..image import Data
    from .device_image import DeviceImage

__all__ = ["read_toolkits"]

# A header takes 64 bytes. The note stands behind the symbols: of a cubin of a few kernels that is soon, and a block of
# Zstandard ends there.
_HEADER, _NOTE = 64, 1 << 17
# Mostly it is in the first bytes, which take an eighth of the time.
_NOTE_OF_SMALL = 1 << 14
# Kernels with more symbols than that have the note further behind.
_NOTE_UNCOMPRESSED = 1 << 20


def read_toolkits(data: Data, images: Iterable[DeviceImage]) -> tuple[str, ...]:
    """Return the toolkits that are named, oldest first; of the cubins for one architecture the smallest is asked."""
    smallest: dict[tuple[str, str], DeviceImage] = {}
    for image in images:
        known = smallest.get((image.kind, image.target))
        if image.kind in {"cubin", "ptx"} and (known is None or image.unpacked_size < known.unpacked_size):
            smallest[image.kind, image.target] = image
    found = set(filter(None, (_parse_toolkit(data, image) for image in smallest.values())))
    return tuple(sorted(found, key=lambda version: [int(part) for part in version.split(".")]))


def _parse_toolkit(data: Data, image: DeviceImage) -> str:
    try:
        if image.kind == "ptx":
            return find_ptx_toolkit(_prefix(data, image, _HEADER * 8))
        cubin = read_cubin(_prefix(data, image, _HEADER))
        if cubin is None or cubin.toolkit:
            return cubin.toolkit if cubin else ""
        if image.compression == "none":
            return find_toolkit(_prefix(data, image, _NOTE_UNCOMPRESSED))
        return find_toolkit(_prefix(data, image, _NOTE_OF_SMALL)) or find_toolkit(_prefix(data, image, _NOTE))
    except (struct.error, ValueError, IndexError):
        # Its bytes are damaged, which is for those to say who decompress all of it.
        return ""


def _prefix(data: Data, image: DeviceImage, wanted: int) -> bytes:
    """Return how an image begins, without compression."""
    if image.compression == "none":
        return data[image.offset : image.offset + min(wanted, image.size)]
    # Code does not become larger; the bound is for what is not code.
    packed = data[image.offset : image.offset + min(image.size, 2 * _NOTE)]
    return (decode_lz4_prefix if image.compression == "lz4" else decode_zstd_prefix)(
        packed, min(wanted, image.unpacked_size)
    )
