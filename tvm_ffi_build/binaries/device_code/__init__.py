"""The device code in a file: which GPU architectures a library, a fatbin, a cubin or a bundle of clang has code for.

CUDA's compiler puts fatbins into sections of their own, HIP's does so with bundles. What a project embeds by itself,
with ``.incbin`` or with ``add_tvm_ffi_cubin`` and ``add_tvm_ffi_fatbin``, is found by what it begins with. Nothing is
decompressed but how an entry begins, so this takes less time than to read the file.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple

from ...errors import UnreadableBinaryError
from .. import map_binary
from ..search import PIECE, find_matches, release_pages
from .cubin import ELF_PREFIX, find_amdgpu_target, find_elf_end, read_cubin
from .device_image import DeviceImage
from .fatbin import FATBIN_MAGIC, find_fatbin_end, read_fatbin
from .offload_bundles import BUNDLE_MAGIC, COMPRESSED_MAGIC, read_bundle
from .ptx import parse_ptx
from .toolkits import read_toolkits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .. import Binary, Section
    from ..image import Data
    from .device_image import ImageKind

__all__ = ["DEVICE_FILE", "DeviceCode", "DeviceImage", "read_device_code", "read_device_file"]

# Files of device code, by their names.
DEVICE_FILE = re.compile(r"\.(cubin|fatbin|ptx|hsaco|hipfb|co)$", re.IGNORECASE)
_AGAIN = "build or download it again"
_DAMAGED = (struct.error, ValueError, IndexError)
_RELOCATABLE = "__nv_rel"
# Sections of fatbins begin each one at a multiple of this; a linker leaves zeros between them.
_ALIGNMENT = 8
_NOT_ZERO = re.compile(rb"[^\0]")
# With the version of fatbins that is known; by four bytes alone, code would be taken for fatbins now and then.
_STARTS = [re.compile(re.escape(start)) for start in (FATBIN_MAGIC + b"\1\0\x10\0", ELF_PREFIX, BUNDLE_MAGIC)]


class DeviceCode(NamedTuple):
    """The device code in a file.

    Attributes:
        images: Each piece of it, in the order of the file.
        toolkits: The versions of the CUDA toolkits that compiled it, as far as it says, oldest first.

    """

    images: tuple[DeviceImage, ...] = ()
    toolkits: tuple[str, ...] = ()


def read_device_code(path: Path, binary: Binary) -> DeviceCode:
    """Return the device code in a library.

    Args:
        path: The library.
        binary: What :func:`~tvm_ffi_build.binaries.read_binary` has read of it.

    Raises:
        UnreadableBinaryError: It cannot be read, or a section of device code is damaged.

    """
    sections = [part for image in binary.images for part in image.sections if part.is_device_code and part.size]
    with map_binary(path) as data:
        try:
            found = [image for section in sections for image in _read_section(data, section)]
        except _DAMAGED:
            raise UnreadableBinaryError("has damaged device code", _AGAIN, about=str(path)) from None
        found += _find_embedded(data, path, binary.data_parts)
        return _describe(data, found)


def read_device_file(path: Path) -> DeviceCode:
    """Return the device code in a file that holds nothing else: a cubin, a fatbin, PTX, a bundle of clang.

    Raises:
        UnreadableBinaryError: It cannot be read, is damaged, or is not such a file.

    """
    with map_binary(path) as data:
        try:
            found = list(_read_file(data))
        except _DAMAGED:
            found = []
        if not found:
            raise UnreadableBinaryError("is not device code, or is damaged", _AGAIN, about=str(path))
        return _describe(data, found)


def _read_file(data: Data) -> Iterator[DeviceImage]:
    end = len(data)
    if data[:4] == FATBIN_MAGIC:
        yield from read_fatbin(data, 0, end)
    elif data[: len(ELF_PREFIX)] == ELF_PREFIX:
        yield from _read_elf(data, 0, end)[0]
    elif data[: len(BUNDLE_MAGIC)] == BUNDLE_MAGIC or data[: len(COMPRESSED_MAGIC)] == COMPRESSED_MAGIC:
        yield from read_bundle(data, 0, end).images
    else:
        image = parse_ptx(data[: 1 << 16], end)
        if image is not None:
            yield image


def _read_section(data: Data, section: Section) -> Iterator[DeviceImage]:
    """Yield what a section of device code holds, one container behind the other."""
    position, end = section.offset, section.offset + section.size
    if end > len(data):
        raise ValueError(end)
    is_relocatable = section.name.startswith(_RELOCATABLE)
    kept = position
    while position < end:
        start = position
        if start - kept > PIECE:
            release_pages(data, kept, start)
            kept = start
        if data[start : start + 4] == FATBIN_MAGIC:
            for image in read_fatbin(data, start, end):
                yield image._replace(is_relocatable=True) if is_relocatable else image
            position = find_fatbin_end(data, start, end)
        elif data[start : start + 4] in {BUNDLE_MAGIC[:4], COMPRESSED_MAGIC}:
            bundle = read_bundle(data, start, end)
            yield from bundle.images
            position = max(bundle.end, start + _ALIGNMENT)
        else:
            position = _skip_zeros(data, start, end)
            continue
        position += -(position - section.offset) % _ALIGNMENT


def _skip_zeros(data: Data, start: int, end: int) -> int:
    """Return where the zeros end that fill up a section."""
    match = _NOT_ZERO.search(data, start, end)
    if match is None:
        return end
    if match.start() == start:
        raise ValueError(start)
    return match.start()


def _find_embedded(data: Data, path: Path, parts: Iterable[tuple[int, int]]) -> Iterator[DeviceImage]:
    """Yield what lies in other sections, where it begins with bytes that only device code begins with."""
    done = 0
    starts = sorted(match.start() for match in find_matches(path, _STARTS, len(BUNDLE_MAGIC), parts))
    for start in starts:
        if start < done:
            continue  # a cubin in a fatbin, which is known
        try:
            if data[start : start + 4] == FATBIN_MAGIC:
                images = tuple(read_fatbin(data, start, len(data)))
                done = find_fatbin_end(data, start, len(data))
            elif data[start : start + 4] == ELF_PREFIX[:4]:
                images, done = _read_elf(data, start, len(data))
            else:
                bundle = read_bundle(data, start, len(data))
                images, done = bundle.images, bundle.end
        except _DAMAGED:
            continue  # bytes of something else that look alike
        yield from images


def _read_elf(data: Data, start: int, end: int) -> tuple[tuple[DeviceImage, ...], int]:
    """Return the machine code in an ELF file, if it is for a GPU, and where that file ends."""
    cubin = read_cubin(data, start)
    target = f"sm_{cubin.architecture.number}" if cubin else find_amdgpu_target(data, start)
    if not target:
        return (), start
    last = find_elf_end(data, start, end)
    size = last - start
    kind: ImageKind = "cubin" if cubin else "amdgpu"
    image = DeviceImage(kind, target, start, size, size)
    if cubin:
        image = image._replace(is_relocatable=cubin.is_relocatable, is_debug=cubin.is_debug)
    return (image,), last


def _describe(data: Data, images: Iterable[DeviceImage]) -> DeviceCode:
    found = tuple(sorted(images, key=lambda image: image.offset))
    return DeviceCode(found, read_toolkits(data, found))
