"""Libraries as strangers may send them: cut short, without end, or making much work out of few bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def mach_o(commands: list[bytes], rest: bytes) -> bytes:
    header = struct.pack("<8I", 0xFEEDFACF, 0x100000C, 0, 6, len(commands), sum(map(len, commands)), 0, 0)
    return header + b"".join(commands) + rest


def elf_with_one_name_for_all(count: int, binding: int = 1) -> bytes:
    """Make a library that imports the same very long name again and again; with a binding of 2, it may be missing."""
    name = b"\0" + b"x" * 60_000 + b"\0"
    headers = 64 + 3 * 56
    symbols = struct.pack("<IBBHQQ", 1, binding << 4 | 2, 0, 0, 0, 0) * count
    hash_table = struct.pack("<II", 1, count)
    # Only what relocations refer to is looked up.
    relocations = b"".join(struct.pack("<QIIq", 0, 6, number, 0) for number in range(count))
    at_symbols = headers + 6 * 16
    at_hash = at_symbols + len(symbols)
    at_relocations = at_hash + len(hash_table)
    at_names = at_relocations + len(relocations)
    tables = (5, at_names, 6, at_symbols, 4, at_hash, 7, at_relocations, 8, len(relocations), 0, 0)
    dynamic = struct.pack("<12q", *tables)
    size = at_names + len(name)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 1)
    segments += struct.pack("<IIQQQQQQ", 2, 6, headers, headers, 0, 96, 96, 8)
    segments += struct.pack("<IIQQQQQQ", 0x6474E551, 6, 0, 0, 0, 0, 0, 16)  # its stack is not executable
    return header + segments + dynamic + symbols + hash_table + relocations + name


def pe_with_shared_thunks(descriptors: int) -> bytes:
    """Make a DLL that imports the same long list again and again."""
    thunks = 2000
    table = 0x400
    at_thunks = table + (descriptors + 1) * 20
    at_name = at_thunks + (thunks + 1) * 8
    section = struct.pack("<8sIIII16x", b".rdata", 0x100000, 0, 0x100000, 0)
    optional = struct.pack("<H106xI", 0x20B, 16) + struct.pack("<8xI4x", table) + bytes(14 * 8)
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HH12xHH", 0x8664, 1, len(optional), 0x2000) + optional + section
    body = struct.pack("<IIIII", at_thunks, 0, 0, at_name, at_thunks) * descriptors + bytes(20)
    body += struct.pack("<Q", at_name) * thunks + bytes(8) + b"ab\0\0"
    return head.ljust(table, b"\0") + body


def pe_with_delayed_import(library: str, function: str) -> bytes:
    """Make a DLL that loads another one at the first call of its function."""
    table = 0x400
    at_names = table + 2 * 32
    at_addresses = at_names + 2 * 8
    at_hint = at_addresses + 2 * 8
    hint = b"\0\0" + function.encode() + b"\0"
    at_library = at_hint + len(hint)
    section = struct.pack("<8sIIII16x", b".rdata", 0x100000, 0, 0x100000, 0)
    optional = struct.pack("<H106xI", 0x20B, 16) + bytes(13 * 8) + struct.pack("<I4x", table) + bytes(2 * 8)
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HH12xHH", 0x8664, 1, len(optional), 0x2000) + optional + section
    body = struct.pack("<8I", 1, at_library, 0, at_addresses, at_names, 0, 0, 0) + bytes(32)
    # The second table holds the addresses of the code that loads the library.
    body += struct.pack("<QQQQ", at_hint, 0, 0x180001000, 0) + hint + library.encode() + b"\0"
    return head.ljust(table, b"\0") + body


SYMTAB = struct.pack("<6I", 2, 24, 0x2000, 9000, 0, 8)


def elf_with_tables(dynamic: bytes, size: int) -> bytes:
    """Make a library of some size with a dynamic section of one's own, which lies at 176, and zeros after it."""
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 1)
    segments += struct.pack("<IIQQQQQQ", 2, 6, 176, 176, 0, len(dynamic), len(dynamic), 8)
    return (header + segments + dynamic).ljust(size, b"\0")


def pe_with_shared_numbers(descriptors: int) -> bytes:
    """Make a DLL that imports the same long list again and again, by numbers, which have no names."""
    content = pe_with_shared_thunks(descriptors)
    name = struct.unpack_from("<I", content, 0x400 + 12)[0]
    return content.replace(struct.pack("<Q", name), struct.pack("<Q", 1 << 63 | 7))


def many_sections(count: int) -> bytes:
    """Make a universal library whose 32 parts are one and the same, with many sections."""
    segment = struct.pack("<II56xII", 0x19, 72 + count * 80, count, 0) + struct.pack("<32xQQI28x", 0, 1, 1) * count
    head = b"\xca\xfe\xba\xbe" + struct.pack(">I", 32) + struct.pack(">5I", 0, 0, 1024, 64, 0) * 32
    return head.ljust(1024, b"\0") + mach_o([segment], b"")


LIBRARY = elf_with_one_name_for_all(1, binding=2)
SIZE = 4 << 20


def elf_of(type_: int = 3, machine: int = 62) -> bytes:
    """Make an ELF library that says it is of another type, or for another machine."""
    return LIBRARY[:16] + struct.pack("<HH", type_, machine) + LIBRARY[20:]


def mach_o_of(type_: int, magic: int = 0xFEEDFACF, order: str = "<") -> bytes:
    """Make a Mach-O file of a type, with nothing in it."""
    return struct.pack(f"{order}8I", magic, 0x100000C, 0, type_, 0, 0, 0, 0)


def endless() -> bytes:
    """Make a library with one entry after the other in its dynamic section, none of which is the last."""
    return elf_with_tables(struct.pack("<qQ", 1000, 1) * (SIZE // 16 - 20), SIZE)


def with_buckets() -> bytes:
    """Make a library with a hash table of as many buckets as there is room for."""
    dynamic = struct.pack("<6q", 5, 0, 6, 0, 0x6FFFFEF5, 512) + bytes(16)
    return elf_with_tables(dynamic, 512) + struct.pack("<4I", SIZE // 4, 0, 0, 0) + bytes(SIZE)


def with_symbols() -> bytes:
    """Make a library with a hash table that says that there are very many symbols."""
    dynamic = struct.pack("<8q", 5, 0, 6, 0, 4, 512, 0, 0)
    return elf_with_tables(dynamic, 512) + struct.pack("<II", 1, 1 << 31) + bytes(SIZE)


# What is no library, and is told from one by a few bytes at most.
NO_LIBRARIES: dict[str, Callable[[], bytes]] = {
    "an empty file": lambda: b"",
    "text": lambda: b"not a library",
    "one byte of ELF": lambda: b"\x7f",
    "four bytes of ELF": lambda: b"\x7fELF",
    "six bytes of ELF": lambda: b"\x7fELF\x02\x01",
    "ELF, half a header": lambda: LIBRARY[:32],
    "ELF, a header": lambda: LIBRARY[:64],
    "ELF, cut short": lambda: LIBRARY[:-1],
    "ELF of no class": lambda: LIBRARY[:4] + b"\7" + LIBRARY[5:],
    "ELF of no byte order": lambda: LIBRARY[:5] + b"\7" + LIBRARY[6:],
    "ELF whose segments lie elsewhere": lambda: LIBRARY[:32] + struct.pack("<Q", 1 << 62) + LIBRARY[40:],
    "ELF with 65535 segments": lambda: LIBRARY[:56] + b"\xff\xff" + LIBRARY[58:],
    "four bytes of Mach-O": lambda: b"\xcf\xfa\xed\xfe",
    "Mach-O, a command of no size": lambda: mach_o([struct.pack("<II", 0xC, 0)], bytes(64)),
    "Mach-O, a command behind its end": lambda: mach_o([struct.pack("<II", 0xC, 1 << 30)], b""),
    "Mach-O, cut short": lambda: mach_o([SYMTAB], b"")[:40],
    "universal, of nothing": lambda: b"\xca\xfe\xba\xbe\0\0\0\0",
    "universal, of four billion": lambda: b"\xca\xfe\xba\xbe\xff\xff\xff\xff",
    "two bytes of PE": lambda: b"MZ",
    "PE whose header lies elsewhere": lambda: b"MZ" + bytes(58) + struct.pack("<I", 1 << 31),
    "PE, cut short": lambda: pe_with_shared_thunks(1)[:-3],
}
# What makes work out of few bytes.
BOMBS: dict[str, Callable[[], bytes]] = {
    "ELF, one long name for all symbols": lambda: elf_with_one_name_for_all(5000),
    "ELF, entries without end": endless,
    "ELF, buckets without end": with_buckets,
    "ELF, two billion symbols": with_symbols,
    "Mach-O, one table of symbols in each command": lambda: mach_o([SYMTAB] * 2000, bytes(200_000)),
    "Mach-O, 400000 commands": lambda: mach_o([struct.pack("<II", 0, 8)] * 400_000, b""),
    "universal, 7000 parts": lambda: (
        b"\xca\xfe\xba\xbe" + struct.pack(">I", 7000) + struct.pack(">5I", 0, 0, 0, 64, 0) * 7000
    ),
    "universal, 20000 sections in each part": lambda: many_sections(20_000),
    "PE, one list of names for all imports": lambda: pe_with_shared_thunks(2000),
    "PE, one list of numbers for all imports": lambda: pe_with_shared_numbers(3000),
}
LIBRARIES = {**NO_LIBRARIES, **BOMBS}
