"""Code signatures of Mach-O libraries: whether what is signed is still what is there.

macOS ends a process that loads a page whose hash is not the one in the signature. Only hashes are looked at, which is
all that an ad-hoc signature has; who signed is left to macOS. Source: ``cs_blobs.h`` of xnu.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from typing import TYPE_CHECKING

from ..host.regular_files import open_regular
from . import read_binary

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from .image import Binary, Image

__all__ = ["signature_problem"]

_SUPER_BLOB = 0xFADE0CC0
_CODE_DIRECTORY = 0xFADE0C02
# Slots of a signature that hold a code directory: the first, and some with other hashes (CSSLOT_CODEDIRECTORY and
# CSSLOT_ALTERNATE_CODEDIRECTORIES in XNU's osfmk/kern/cs_blobs.h).
_SLOTS = {0, *range(0x1000, 0x1006)}
_HASHES = {1: "sha1", 2: "sha256", 3: "sha256", 4: "sha384"}
_MOST_BLOBS = 64


def signature_problem(path: Path, binary: Binary | None = None) -> str | None:
    """Return what is wrong with a library's signature, or None if nothing is.

    Args:
        path: The library.
        binary: What it says of itself, if that has been read.

    Raises:
        UnreadableBinaryError: It is no library, or a damaged one.

    """
    for image in (binary or read_binary(path)).images:
        if image.signature is None:
            if image.architecture != "arm64":
                # macOS requires signatures of arm64 code only (Big Sur 11 Universal Apps Release Notes).
                continue
            return f"{image.architecture} is not signed"
        with open_regular(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                problem = _find_problem(file, data, image, image.signature.offset)
            except (struct.error, ValueError, KeyError):
                problem = "the signature is damaged"
        if problem:
            return f"{image.architecture}: {problem}"
    return None


def _find_problem(file: IO[bytes], data: mmap.mmap, image: Image, start: int) -> str | None:
    magic, _, count = struct.unpack_from(">III", data, start)
    if magic != _SUPER_BLOB or count > _MOST_BLOBS:
        raise ValueError(magic)
    blobs = (struct.unpack_from(">II", data, start + 12 + 8 * number) for number in range(count))
    directories = [start + offset for slot, offset in blobs if slot in _SLOTS]
    if not directories:
        return "the signature has no hashes"
    for directory in directories:
        problem = _find_changed_page(file, data, image, directory)
        if problem:
            return problem
    return None


def _find_changed_page(file: IO[bytes], data: mmap.mmap, image: Image, directory: int) -> str | None:
    magic, hashes, pages, limit = struct.unpack_from(">I12xI4x4xII", data, directory)
    size, kind, page_bits = struct.unpack_from(">BBxB", data, directory + 36)
    # Smaller pages would be work without end, and shorter hashes no proof.
    if magic != _CODE_DIRECTORY or not 12 <= page_bits <= 24 or size < 20:
        raise ValueError(magic)
    page = 1 << page_bits
    if image.signature is not None and image.offset + limit != image.signature.offset:
        return "the signature is not for all of the file"
    if pages != -(-limit // page) or image.offset + limit > len(data):
        raise ValueError(pages)
    # What is read does not stay in memory, as mapped pages do.
    file.seek(image.offset)
    for number in range(pages):
        content = file.read(min(page, limit - number * page))
        wanted = directory + hashes + number * size
        if hashlib.new(_HASHES[kind], content).digest()[:size] != data[wanted : wanted + size]:
            return f"page {number} is not what was signed"
    return None
