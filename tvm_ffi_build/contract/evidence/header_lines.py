"""Which headers of the runtime a library was compiled with, by the lines at which they throw.

Where a header may throw, and where a function of the ABI begins, code calls ``TVMFFIBacktrace`` with the header's name
and the number of the line, which change from release to release. Instructions that load both are looked for, without
reading all others: first the name's address, then a number near it.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple

from ...binaries import map_binary
from ...binaries.search import divide_part, find_matches

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from ...binaries import Binary, Image, Section
    from ..releases.ledger import Ledger

__all__ = ["Site", "find_header_sites", "releases_with_sites"]

_HEADER = re.compile(rb"[\x20-\x7e]*?tvm/ffi/([a-z0-9_/]+\.h)\0")
_FOLDER = re.compile(rb"/(?<=tvm/)ffi/")
_LONGEST_PATH = 4096
_DATA = re.compile(r"\.rodata|\.rdata|__TEXT,__(cstring|const)$|\.data\.rel\.ro")

# x86-64: lea of an address relative to the next instruction, into any register (Intel SDM, volume 2, "LEA").
_LEA = re.compile(rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]", re.DOTALL)
_LEA_BYTES = 3
# mov of a number into esi or edx, the registers of the second argument (System V psABI for AMD64, 3.2.3; Microsoft's
# x64 calling convention).
_NUMBER = re.compile(rb"[\xbe\xba](..)\0\0", re.DOTALL)
_NEAR = 40

# AArch64: adrp, the page of an address (Arm Architecture Reference Manual, C6.2).
_ADRP = re.compile(rb"...[\x90\xb0\xd0\xf0]", re.DOTALL)
_NEAR_WORDS = 12
_WORD = 4


class Site(NamedTuple):
    """A place in the code that names a header.

    Attributes:
        header: Its path below ``tvm/ffi``.
        lines: The numbers that are loaded near it, of which one is the line.

    """

    header: str
    lines: frozenset[int]


def find_header_sites(path: Path, binary: Binary) -> Iterator[Site]:
    """Yield the places in a library's code that name a header of the runtime."""
    scans: dict[str, Callable[[mmap.mmap, Section, Mapping[int, str]], Iterator[Site]]] = {
        "x86_64": _read_x86_64,
        "amd64": _read_x86_64,
        "aarch64": _read_aarch64,
        "arm64": _read_aarch64,
    }
    with map_binary(path) as data:
        for image in binary.images:
            scan = scans.get(image.architecture)
            headers = _find_header_names(path, data, image) if scan else {}
            for section in image.sections:
                if scan and headers and section.is_code:
                    yield from scan(data, section, headers)


def releases_with_sites(sites: Iterable[Site], ledger: Ledger) -> frozenset[str]:
    """Return the releases whose headers have a throwing line near every site; all, if that says nothing."""
    found = frozenset(ledger.releases)
    for site in set(sites):
        releases = frozenset[str]().union(*(ledger.releases_with_line(site.header, line) for line in site.lines))
        # A line that no release has is another's code, or a number that means something else.
        if releases:
            found &= releases
    return found or frozenset(ledger.releases)


def _find_header_names(path: Path, data: mmap.mmap, image: Image) -> dict[int, str]:
    """Return the addresses of headers' names."""
    found = {}
    for section in image.sections:
        if not _DATA.match(section.name):
            continue
        end = section.offset + section.size
        for folder in find_matches(path, [_FOLDER], len("tvm/ffi/"), [(section.offset, end)]):
            position = folder.start()
            first = data.rfind(b"\0", max(section.offset, position - _LONGEST_PATH), position) + 1
            match = _HEADER.match(data, first or section.offset, end)
            if match and match.end() > position:
                found[section.address + (first or section.offset) - section.offset] = match[1].decode()
    return found


def _read_x86_64(data: mmap.mmap, section: Section, headers: Mapping[int, str]) -> Iterator[Site]:
    start, end = section.offset, section.offset + section.size
    moved = section.address - section.offset
    distance = struct.Struct("<i")
    for first, last in divide_part(data, start, end):
        # Those that end in the next piece, too.
        for match in _LEA.finditer(data, first, min(last + _LEA_BYTES - 1, end - 4)):
            after = match.end() + 4
            header = headers.get(after + moved + distance.unpack_from(data, match.end())[0])
            if header is not None:
                near = data[max(start, match.start() - _NEAR) : min(end, after + _NEAR)]
                yield Site(header, frozenset(int.from_bytes(number[1], "little") for number in _NUMBER.finditer(near)))


def _read_aarch64(data: mmap.mmap, section: Section, headers: Mapping[int, str]) -> Iterator[Site]:
    start, end = section.offset, section.offset + section.size
    moved = section.address - section.offset
    pages: dict[int, list[int]] = {}
    for address in headers:
        pages.setdefault(address >> 12, []).append(address)
    word = struct.Struct("<I")
    for position in _find_page_addresses(data, start, end):
        (code,) = word.unpack_from(data, position)
        distance = (code >> 29 & 3) | (code >> 5 & 0x7FFFF) << 2
        page = (position + moved >> 12) + (distance - (1 << 21) if distance >> 20 else distance)
        if page in pages:
            near = range(max(start, position - 4 * _NEAR_WORDS), min(end - 3, position + 4 * _NEAR_WORDS), 4)
            yield from _read_aarch64_site([word.unpack_from(data, at)[0] for at in near], code & 31, page, headers)


def _find_page_addresses(data: mmap.mmap, start: int, end: int) -> Iterator[int]:
    """Yield where the instructions adrp are."""
    position = start
    for _, last in divide_part(data, start, end):
        while match := _ADRP.search(data, position, min(last + _WORD - 1, end)):
            # Not all that looks like one begins where an instruction does.
            misplaced = (match.start() - start) % _WORD
            if not misplaced:
                yield match.start()
            position = match.start() - misplaced + _WORD
        position = max(position, last)


def _read_aarch64_site(words: list[int], register: int, page: int, headers: Mapping[int, str]) -> Iterator[Site]:
    # mov (movz) of a number into w1, the register of the second argument (AAPCS64).
    lines = frozenset(word >> 5 & 0xFFFF for word in words if word & 0xFFE0001F == 0x52800001)
    for word in words:
        # add of the rest of the address: immediate of 12 bits, from the register of the adrp.
        if word & 0xFFC003E0 == 0x91000000 | register << 5:
            header = headers.get((page << 12) + (word >> 10 & 0xFFF))
            if header is not None:
                yield Site(header, lines)
