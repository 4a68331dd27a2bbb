"""Device code made without the code under test: fatbins, cubins and bundles of clang, as their tools write them."""

from __future__ import annotations

import struct

from tvm_ffi_build.binaries import Binary, Image, Section

__all__ = [
    "CUBIN",
    "DEBUG",
    "FAMILY",
    "LTO_IR",
    "LZ4",
    "PTX",
    "SPECIFIC",
    "TILE_IR",
    "ZSTD",
    "bundle",
    "cubin",
    "elf",
    "entry",
    "fatbin",
    "library_of",
    "old_cubin",
]

DEBUG, LZ4, ZSTD, SPECIFIC, FAMILY = 1 << 1, 1 << 13, 1 << 15, 1 << 20, 1 << 21
PTX, CUBIN, LTO_IR, TILE_IR = 1, 2, 8, 128
NOTE = b"\0ptxas\0Cuda compilation tools, release %s, V%s.88\0"


def entry(
    kind: int,
    architecture: int,
    code: bytes = b"\0" * 8,
    *,
    flags: int = 0,
    isa: tuple[int, int] = (9, 0),
    unpacked: int = 0,
    version: int = 0x101,
) -> bytes:
    """Return an entry of a fatbin."""
    body = code + bytes(-len(code) % 8)
    packed = len(code) if flags & (LZ4 | ZSTD) else 0
    header = struct.pack("<HHIQIIHHI", kind, version, 64, len(body), packed, 0, isa[1], isa[0], architecture)
    return header + struct.pack("<IIQQQ", 0, 0, flags | 0x11, 0, unpacked) + body


def fatbin(*entries: bytes, version: int = 1) -> bytes:
    """Return a fatbin."""
    body = b"".join(entries)
    return struct.pack("<IHHQ", 0xBA55ED50, version, 16, len(body)) + body


def cubin(architecture: int, *, specific: bool = False, toolkit: str = "13.0", debug: bool = False) -> bytes:
    """Return a cubin of the layout that CUDA 13 writes: a header, the sections that tell something, their table."""
    compat = struct.pack("<BBHBBH", 2, 9, specific, 2, 2, 1)
    note = NOTE % (toolkit.encode(), toolkit.encode()) if toolkit else b""
    names = b"\0.shstrtab\0" + (b".debug_info\0" if debug else b"")
    return elf(0x6000004 | architecture << 8, 0x41, 8, 1, [(3, names), (0x70000086, compat), (7, note)])


def old_cubin(architecture: int, *, specific: bool = False, toolkit: str = "12.4") -> bytes:
    """Return a cubin of the layout that CUDA 12 writes, for what is older than Blackwell."""
    flags = architecture << 16 | 0x500 | (0x800 if specific else 0) | architecture
    return elf(flags, 0x33, 7, int(toolkit.replace(".", "")), [(3, b"\0.shstrtab\0")])


def elf(
    flags: int, system: int, abi: int, version: int, sections: list[tuple[int, bytes]], machine: int = 190
) -> bytes:
    """Return an ELF file, the first of whose sections has the names of all of them."""
    body = b"".join(content for _, content in sections)
    rows, offset = [bytes(64)], 64
    for kind, content in sections:
        rows.append(struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, offset, len(content), 0, 0, 1, 0))
        offset += len(content)
    ident = b"\x7fELF\x02\x01\x01" + bytes([system, abi]) + bytes(7)
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, version, 0, 0, offset, flags, 64, 56, 0, 64, len(rows), 1)
    return ident + header + body + b"".join(rows)


def bundle(**codes: bytes) -> bytes:
    """Return a bundle of clang with code for some targets of AMD, behind an empty entry for the host."""
    named = {
        b"host-x86_64-unknown-linux--": b"",
        **{b"hipv4-amdgcn-amd-amdhsa--" + k.encode(): v for k, v in codes.items()},
    }
    size = 32 + sum(24 + len(name) for name in named)
    head, body = struct.pack("<24sQ", b"__CLANG_OFFLOAD_BUNDLE__", len(named)), b""
    for name, code in named.items():
        head += struct.pack("<QQQ", size + len(body), len(code), len(name)) + name
        body += code
    return head + body


def library_of(content: bytes, section: str = ".nv_fatbin", *, before: int = 0) -> Binary:
    """Return what a library would say of itself that has all but some first bytes of a file in one section."""
    return Binary("ELF", (Image("x86_64", sections=(Section(section, before, len(content) - before),)),))
