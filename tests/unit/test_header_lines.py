"""Lines of the runtime's headers in machine code, found wherever a piece of the file ends."""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvm_ffi_build.binaries import Binary, Image, Section, search
from tvm_ffi_build.contract.evidence.header_lines import Site, find_header_sites

if TYPE_CHECKING:
    from pathlib import Path

HEADER = b"/build/tvm/ffi/any.h\0"
# Where the code begins in the file, and where the file is in memory; pieces end between and in instructions.
CODE, MOVED = 66, 0x40000
# How far before the end of each piece the instructions begin.
BEFORE = st.lists(st.integers(0, 16), min_size=3, max_size=3)


def x86_64(at: int, line: int) -> bytes:
    """Return ``lea rdi, [rip + HEADER]; mov esi, line``."""
    return b"\x48\x8d\x3d" + struct.pack("<i", -(CODE + at + 7)) + b"\xbe" + struct.pack("<I", line)


def aarch64(at: int, line: int) -> bytes:
    """Return ``adrp x0, HEADER; add x0, x0, 0; mov w1, line``."""
    pages = (MOVED >> 12) - (MOVED + CODE + at >> 12) & (1 << 21) - 1
    adrp = 0x90000000 | (pages & 3) << 29 | pages >> 2 << 5
    return struct.pack("<III", adrp, 0x91000000, 0x52800001 | line << 5)


def write(folder: Path, code: bytes, architecture: str) -> tuple[Path, Binary]:
    path = folder / "library"
    path.write_bytes(HEADER.ljust(CODE, b"\0") + code)
    sections = Section(".rodata", 0, CODE, MOVED), Section(".text", CODE, len(code), MOVED + CODE)
    return path, Binary("ELF", (Image(architecture, sections=sections),))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(before=BEFORE, architecture=st.sampled_from(["x86_64", "aarch64"]))
def test_each_site_is_found_once(tmp_path: Path, before: list[int], architecture: str) -> None:
    code = bytearray(4 * mmap.PAGESIZE)
    for number, distance in enumerate(before, 1):
        at = number * mmap.PAGESIZE - CODE - distance
        # Instructions of ARM begin at multiples of four bytes.
        at -= at % 4 if architecture == "aarch64" else 0
        site = (x86_64 if architecture == "x86_64" else aarch64)(at, number)
        code[at : at + len(site)] = site
    path, binary = write(tmp_path, bytes(code), architecture)
    with mock.patch.object(search, "PIECE", mmap.PAGESIZE):
        found = list(find_header_sites(path, binary))
    assert found == [Site("any.h", frozenset({number})) for number, _ in enumerate(before, 1)]


def test_code_leaves_memory_when_it_has_been_read(tmp_path: Path) -> None:
    path, binary = write(tmp_path, bytes(256) + x86_64(256, 7) + bytes(3 * mmap.PAGESIZE), "x86_64")
    left = []
    with mock.patch.object(search, "PIECE", mmap.PAGESIZE):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for first, last in search.divide_part(data, CODE, len(data)):
                left.append((first, last))
        assert next(find_header_sites(path, binary)) == Site("any.h", frozenset({7}))
    assert left[0] == (CODE, mmap.PAGESIZE)
    assert [first for first, _ in left[1:]] == [last for _, last in left[:-1]]
    assert left[-1][1] == path.stat().st_size
