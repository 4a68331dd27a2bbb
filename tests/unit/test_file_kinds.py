"""What a file is, told by its bytes: whatever its name, and without taking other files for libraries."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from forged_libraries import LIBRARY, elf_of, elf_with_tables, mach_o, mach_o_of, pe_with_shared_thunks
from hypothesis import given
from hypothesis import strategies as st
from support.processes import run

from tvm_ffi_build.binaries import kind_of, kind_of_file, may_be_binary, parse_binary, read_binary
from tvm_ffi_build.errors import UnreadableBinaryError

if TYPE_CHECKING:
    from pathlib import Path

PE = pe_with_shared_thunks(1)
MACH_O = mach_o([], b"")
OPTIONAL = 64 + 24


def universal(*parts: bytes) -> bytes:
    """Return a universal file."""
    head, body, at = struct.pack(">II", 0xCAFEBABE, len(parts)), b"", 1024
    for part in parts:
        head += struct.pack(">5I", 0, 0, at + len(body), len(part), 0)
        body += part
    return head.ljust(at, b"\0") + body


def pe_for(subsystem: int = 3, flags: int = 0) -> bytes:
    """Return a DLL for a subsystem; with flags it is one of .NET."""
    content = PE[: OPTIONAL + 68] + struct.pack("<H", subsystem) + PE[OPTIONAL + 70 :]
    if flags:
        at = OPTIONAL + 112 + 14 * 8
        content = content[:at] + struct.pack("<II", len(PE), 72) + content[at + 8 :] + struct.pack("<16xI52x", flags)
    return content


KINDS = {
    "ELF library": (elf_of(), "loadable"),
    "ELF program": (elf_of(2), "loadable"),
    "ELF for a machine which has not been tested": (elf_of(machine=8), "loadable"),
    "ELF cut short": (LIBRARY[:10], "loadable"),
    "object": (elf_of(1), "object file"),
    "core dump": (elf_of(4), "system file"),
    "CUDA": (elf_of(2, 190), "device code"),
    "AMD": (elf_of(3, 224), "device code"),
    "BPF, which is relocatable": (elf_of(1, 247), "device code"),
    "Mach-O library": (MACH_O, "loadable"),
    "Mach-O program": (mach_o_of(2), "loadable"),
    "Mach-O bundle": (mach_o_of(8), "loadable"),
    "Mach-O of 32 bits": (mach_o_of(6, 0xFEEDFACE), "loadable"),
    "Mach-O of PowerPC": (mach_o_of(6, 0xFEEDFACE, ">"), "loadable"),
    "Mach-O object": (mach_o_of(1), "object file"),
    "dSYM": (mach_o_of(10), "debug symbols"),
    "kext": (mach_o_of(11), "system file"),
    "universal": (universal(MACH_O, mach_o_of(6, 0xFEEDFACE)), "loadable"),
    "universal of nothing": (b"\xca\xfe\xba\xbe\0\0\0\0", "loadable"),
    "universal objects": (universal(mach_o_of(1), mach_o_of(1)), "object file"),
    "universal archives": (universal(b"!<arch>\n", b"!<arch>\n"), "static library"),
    "class of Java": (b"\xca\xfe\xba\xbe\0\0\0\x41\0\x1d\x0a\0", None),
    "class of Java, with preview features": (b"\xca\xfe\xba\xbe\xff\xff\0\x41\0\x1d\x0a\0", None),
    "DLL": (PE, "loadable"),
    "driver": (pe_for(1), "system file"),
    "assembly": (pe_for(flags=1), ".NET assembly"),
    "assembly with native code": (pe_for(flags=2), "loadable"),
    "program of DOS": (b"MZ" + bytes(100), None),
    "text": (b"MZ is how some texts begin, of which some are as long as the header of a program of DOS is", None),
    "archive": (b"!<arch>\na.o/            0           0     0     644     4         `\n", "static library"),
    "archive without objects": (b"!<arch>\n", "static library"),
    "thin archive": (b"!<thin>\n", "static library"),
    "package of Debian": (b"!<arch>\ndebian-binary   ", None),
    "nothing": (b"", None),
    "script": (b"#!/bin/sh\n", None),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_a_file_is(tmp_path: Path, name: str) -> None:
    content, kind = KINDS[name]
    assert kind_of(content) == kind
    # Decided on disk, too, and only of files whose beginnings let them be unpacked.
    (tmp_path / "file").write_bytes(content)
    assert kind_of_file(tmp_path / "file") == kind
    assert kind is None or may_be_binary(content[:8])
    if kind != "loadable":
        with pytest.raises(UnreadableBinaryError, match=f"is not .*{kind or 'library'}"):
            parse_binary(content, "file")


@given(st.sampled_from([content for content, _ in KINDS.values()]), st.integers(0, 200), st.binary(max_size=4))
def test_what_cannot_be_a_binary_by_its_beginning_is_not_one(content: bytes, at: int, changed: bytes) -> None:
    content = content[:at] + changed + content[at + len(changed) :]
    assert may_be_binary(content[:8]) or kind_of(content) is None


@given(st.text())
def test_a_text_is_not_a_library(text: str) -> None:
    assert kind_of(text.encode()) in {None, "static library"}


SOURCE = """#ifdef BARE
int main(void) { return 0; }
#else
int puts(const char *);
int main(void) { return puts("here"); }
#endif
"""


@pytest.mark.parametrize(
    ("flags", "is_program", "needs"),
    [
        ([], True, ("libc.so.6",)),
        (["-no-pie"], True, ("libc.so.6",)),
        (["-static"], True, ()),
        (["-static-pie"], True, ()),
        (["-DBARE", "-nostdlib", "-static", "-Wl,-e,main"], True, ()),
        (["-shared", "-fPIC"], False, ("libc.so.6",)),
        (["-shared", "-fPIC", "-Wl,-soname,libtool.so", "-Wl,--dynamic-linker=/lib64/ld.so"], False, ("libc.so.6",)),
    ],
)
def test_programs_are_read_as_libraries_are(
    tmp_path: Path, flags: list[str], is_program: bool, needs: tuple[str, ...]
) -> None:
    """Static ones too, which have no table for a dynamic linker and are not damaged for that."""
    (tmp_path / "a.c").write_text(SOURCE, encoding="utf-8")
    run("cc", *flags, "-g", "-o", tmp_path / "tool", tmp_path / "a.c")
    binary = read_binary(tmp_path / "tool")
    (image,) = binary.images
    assert (image.architecture, binary.is_program, image.libraries) == ("x86_64", is_program, needs)
    assert ".text" in [section.name for section in image.sections]
    run("objcopy", "--only-keep-debug", tmp_path / "tool", tmp_path / "tool.debug")
    assert kind_of_file(tmp_path / "tool.debug") == "debug symbols"
    run("strip", "--strip-unneeded", tmp_path / "tool")
    assert kind_of_file(tmp_path / "tool") == "loadable"


def test_a_library_without_a_dynamic_section_is_damaged() -> None:
    with pytest.raises(UnreadableBinaryError, match="damaged"):
        parse_binary(elf_with_tables(b"", 512)[:56] + struct.pack("<H", 1) + elf_with_tables(b"", 512)[58:], "file")


@pytest.mark.parametrize("order", ["<", ">"])
def test_mach_o_of_32_bits_is_read(order: str) -> None:
    """Such as the i386 part of an older universal library."""
    name = b"/usr/lib/libSystem.B.dylib\0".ljust(28, b"\0")
    needed = struct.pack(f"{order}6I", 0xC, 24 + len(name), 24, 0, 0, 0) + name
    section = struct.pack(f"{order}16s16s9I", b"__text", b"__TEXT", 0x1000, 16, 0x200, *[0] * 6)
    segment = struct.pack(f"{order}II16s8I", 0x1, 56 + 68, b"__TEXT", *[0] * 6, 1, 0) + section
    at = 28 + len(needed) + len(segment) + 24
    symbols = struct.pack(f"{order}6I", 2, 24, at, 2, at + 24, 12)
    table = struct.pack(f"{order}IBBHI", 1, 1, 0, 1 << 8, 0) + struct.pack(f"{order}IBBHI", 6, 0xF, 1, 0, 0x1000)
    commands = needed + segment + symbols
    head = struct.pack(f"{order}7I", 0xFEEDFACE, 7, 0, 6, 3, len(commands), 0)
    binary = parse_binary(universal(head + commands + table + b"\0_puts\0_f\0\0"[:12], MACH_O), "file")
    image = binary.images[0]
    assert [one.architecture for one in binary.images] == ["i386", "arm64"]
    assert image.libraries == ("/usr/lib/libSystem.B.dylib",)
    assert [(symbol.name, symbol.library) for symbol in image.imports] == [("puts", "/usr/lib/libSystem.B.dylib")]
    assert [section.name for section in image.sections] == ["__TEXT,__text"]
    assert [symbol.name for symbol in image.exports]
