"""Signatures of Mach-O libraries, made here by hand: what is signed, and what was changed since."""

from __future__ import annotations

import hashlib
import struct
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import run

from tvm_ffi_build.binaries.signature import signature_problem

if TYPE_CHECKING:
    from pathlib import Path

ARM64, X86_64 = 0x100000C, 0x1000007
SUPER_BLOB, CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
DIRECTORY, REQUIREMENTS = 0, 2
LENGTH = 9000  # of what is signed: two pages and a part of a third


def unsigned(machine: int = ARM64, *commands: bytes) -> bytes:
    header = struct.pack("<8I", 0xFEEDFACF, machine, 0, 6, len(commands), sum(map(len, commands)), 0, 0)
    return (header + b"".join(commands)).ljust(LENGTH, b"\x90")


def signed(
    *,
    magic: int = SUPER_BLOB,
    blobs: int = 1,
    slot: int = DIRECTORY,
    directory: int = CODE_DIRECTORY,
    kind: int = 2,
    page_bits: int = 12,
    length: int = LENGTH,
    pages: int = 3,
) -> bytes:
    """Return a library with a signature that is good, but for what is given."""
    content = unsigned(ARM64, struct.pack("<IIII", 0x1D, 16, LENGTH, 1000))
    hashes = [hashlib.sha256(content[at : at + 4096]).digest() for at in range(0, LENGTH, 4096)]
    head = struct.pack(">I12xI4x4xIIBBxB", directory, 44, pages, length, 32, kind, page_bits)
    index = struct.pack(">III", magic, 0, blobs) + struct.pack(">II", slot, 20)
    return content + index + head.ljust(44, b"\0") + b"".join(hashes)


def problem(folder: Path, content: bytes) -> str | None:
    (folder / "lib.dylib").write_bytes(content)
    return signature_problem(folder / "lib.dylib")


def test_what_is_as_it_was_signed(tmp_path: Path) -> None:
    assert problem(tmp_path, signed()) is None


@pytest.mark.parametrize(("at", "page"), [(2000, 0), (4096, 1), (LENGTH - 1, 2)])
def test_a_page_that_was_changed_is_named(tmp_path: Path, at: int, page: int) -> None:
    content = bytearray(signed())
    content[at] ^= 1
    assert problem(tmp_path, bytes(content)) == f"arm64: page {page} is not what was signed"


@pytest.mark.parametrize(("machine", "expected"), [(ARM64, "arm64 is not signed"), (X86_64, None)])
def test_macs_with_intel_processors_ask_for_no_signature(tmp_path: Path, machine: int, expected: str | None) -> None:
    assert problem(tmp_path, unsigned(machine)) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (signed(slot=REQUIREMENTS), "the signature has no hashes"),
        (signed(length=LENGTH - 4096), "the signature is not for all of the file"),
        (signed(magic=1), "the signature is damaged"),
        (signed(blobs=1000), "the signature is damaged"),
        (signed(directory=1), "the signature is damaged"),
        (signed(kind=99), "the signature is damaged"),
        (signed(page_bits=1), "the signature is damaged"),
        (signed(pages=2), "the signature is damaged"),
        (signed()[: LENGTH + 10], "the signature is damaged"),
    ],
)
def test_what_is_no_signature_of_the_file(tmp_path: Path, content: bytes, expected: str) -> None:
    assert problem(tmp_path, content) == f"arm64: {expected}"


@pytest.mark.parametrize("asked", [["--verify"], ["--force", "--sign", "-"]])
def test_what_stands_in_for_codesign_says_no_to_all_that_is_not_signed(tmp_path: Path, asked: list[str]) -> None:
    library = tmp_path / "lib.dylib"
    for content, code, said in (
        (signed(), 0, ""),
        (unsigned(), 1, "lib.dylib: arm64 is not signed; repair the wheel on macOS, where it can be signed\n"),
        (b"text", 1, "is not an ELF, Mach-O or PE library"),
    ):
        library.write_bytes(content)
        done = run(sys.executable, "-m", "tvm_ffi_build.repair.apple_tools.codesign", *asked, library, ok=False)
        assert done.returncode == code
        assert said in done.stderr
