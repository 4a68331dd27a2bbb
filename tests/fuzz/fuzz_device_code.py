"""The readers of device code: whatever a file holds, they read it or say that it is damaged, and invent nothing."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from forged_device_code import library_of

from tvm_ffi_build.binaries.device_code import read_device_code, read_device_file
from tvm_ffi_build.errors import UnreadableBinaryError

if TYPE_CHECKING:
    from pathlib import Path

    from tvm_ffi_build.binaries.device_code import DeviceCode

__all__ = ["one"]

# Where a library has device code, by what the first byte of the input says; the last one is for any other data.
SECTIONS = (".nv_fatbin", "__nv_relfatbin", ".hip_fatbin", ".rodata")
TOOLKIT = re.compile(r"\d+\.\d+")


def one(data: bytes, folder: Path) -> None:
    path = folder / "library.so"
    path.write_bytes(data)
    if not data:
        return
    section = SECTIONS[data[0] % len(SECTIONS)]
    with suppress(UnreadableBinaryError):
        check(read_device_code(path, library_of(data, section, before=1)), len(data))
    path.write_bytes(data[1:])
    with suppress(UnreadableBinaryError):
        code = read_device_file(path)
        assert code.images
        check(code, len(data) - 1)


def check(code: DeviceCode, size: int) -> None:
    """Check that what was read lies in the file, and is no more than it."""
    for image in code.images:
        assert 0 <= image.offset <= image.offset + image.size <= size
        assert image.kind == "unknown" or image.target
        assert image.architecture is None or image.architecture.number in image.target
    assert sum(image.size for image in code.images) <= size
    assert list(code.images) == sorted(code.images, key=lambda image: image.offset)
    assert all(map(TOOLKIT.fullmatch, code.toolkits))
