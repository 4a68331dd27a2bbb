"""What the readers find in libraries that ask for something of the loader, made by real linkers where those can."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING

import pytest
from forged_libraries import mach_o
from support.processes import run

from tvm_ffi_build.audit import audit
from tvm_ffi_build.audit.audit_settings import Settings
from tvm_ffi_build.binaries import read_binary

if TYPE_CHECKING:
    from pathlib import Path

    from tvm_ffi_build.binaries import Image

C = """
#include <stdlib.h>
static int zero;
int *pointers[64] = {[0 ... 63] = &zero};
void *f(void) { return malloc(1); }
int __tvm_ffi_demo(void) { return 0; }
"""
# A function that calls another one which may be replaced, not through a table: as code without -fPIC does.
TEXT_RELOCATION = """
    .text
    .globl g
g:  movabs $outside, %rax
    ret
    .section .note.GNU-stack,"",@progbits
"""
NO_NOTE = """
    .text
    .globl g
g:  ret
"""


def link(directory: Path, *flags: str, c: str = C, assembly: str = "") -> Path:
    """Link a library with the compiler of this machine."""
    sources = []
    for name, text in (("a.c", c), ("b.s", assembly)):
        if text:
            (directory / name).write_text(text, encoding="utf-8")
            sources.append(directory / name)
    library = directory / "libdemo.so"
    run("cc", "-shared", "-fPIC", "-o", library, *sources, *flags)
    return library


def image_of(library: Path) -> Image:
    (image,) = read_binary(library).images
    return image


def rules_of(library: Path) -> set[str]:
    return {finding.rule.id for finding in audit(library, Settings(select=("P37",))).findings}


@pytest.mark.parametrize(
    ("flags", "assembly", "asked"),
    [
        ([], "", False),
        (["-Wl,-z,execstack"], "", True),
        ([], NO_NOTE, True),
        (["-Wl,-z,noexecstack"], NO_NOTE, False),
    ],
)
def test_an_executable_stack(tmp_path: Path, flags: list[str], assembly: str, asked: bool) -> None:
    library = link(tmp_path, *flags, assembly=assembly)
    assert image_of(library).loading.executable_stack is asked
    assert rules_of(library) == ({"P371"} if asked else set())


def test_a_library_that_says_nothing_of_its_stack(tmp_path: Path) -> None:
    library = link(tmp_path)
    data = bytearray(library.read_bytes())
    at = data.find(struct.pack("<I", 0x6474E551), 64)
    data[at : at + 4] = struct.pack("<I", 0)  # PT_NULL
    library.write_bytes(data)
    assert image_of(library).loading.executable_stack is None
    assert rules_of(library) == {"P371"}


def test_packed_relocations(tmp_path: Path) -> None:
    """GNU ld adds the version that glibc asks for; without it the library is refused."""
    packed = link(tmp_path, "-Wl,-z,pack-relative-relocs")
    image = image_of(packed)
    assert image.loading.relative_relocations  # GNU ld from 2.38 on
    assert ("libc.so.6", "GLIBC_ABI_DT_RELR") in image.versions
    assert rules_of(packed) == set()
    data = packed.read_bytes()
    assert data.count(b"GLIBC_ABI_DT_RELR\0") == 1
    packed.write_bytes(data.replace(b"GLIBC_ABI_DT_RELR\0", b"GLIBC_2.2.5\0XXXXXX"))
    assert rules_of(packed) == {"P372"}
    assert not image_of(link(tmp_path, "-Wl,-z,nopack-relative-relocs")).loading.relative_relocations


@pytest.mark.skipif(run("cc", "-dumpmachine").stdout.partition("-")[0] != "x86_64", reason="assembly of x86-64")
def test_relocations_in_code(tmp_path: Path) -> None:
    library = link(tmp_path, "-Wl,-z,notext", assembly=TEXT_RELOCATION)
    assert image_of(library).loading.text_relocations
    assert rules_of(library) == {"P373"}
    assert not image_of(link(tmp_path)).loading.text_relocations


@pytest.mark.parametrize(
    ("size", "rules"), [("4096", {"P374"}), ("16384", {"P374"}), ("65536", set()), ("2097152", set())]
)
def test_the_size_of_pages(tmp_path: Path, size: str, rules: set[str]) -> None:
    library = link(tmp_path, f"-Wl,-z,max-page-size={size}")
    assert {segment.alignment for segment in image_of(library).loading.segments} == {int(size)}
    assert rules_of(library) == set()
    data = bytearray(library.read_bytes())
    data[0x12:0x14] = struct.pack("<H", 183)  # EM_AARCH64
    library.write_bytes(data)
    assert rules_of(library) == rules


def test_a_misaligned_segment(tmp_path: Path) -> None:
    library = link(tmp_path)
    data = bytearray(library.read_bytes())
    (start,) = struct.unpack_from("<Q", data, 0x20)
    (count,) = struct.unpack_from("<H", data, 0x38)
    rows = [start + 56 * i for i in range(count) if struct.unpack_from("<I", data, start + 56 * i) == (1,)]
    # As patchelf 0.18 leaves it: a large alignment, to which only the address keeps.
    struct.pack_into("<Q", data, rows[-1] + 48, 0x200000)
    library.write_bytes(data)
    assert image_of(library).loading.segments[-1].alignment == 0x200000
    assert rules_of(library) == {"P375"}


@pytest.mark.parametrize(
    ("run_path", "paths", "rules"),
    [
        ("$ORIGIN:", ("$ORIGIN", ""), {"P376"}),
        (":$ORIGIN/lib", ("", "$ORIGIN/lib"), {"P376"}),
        ("$ORIGIN::/opt", ("$ORIGIN", "", "/opt"), {"P376"}),
        ("lib", ("lib",), {"P376"}),
        ("$ORIGIN:$ORIGIN/lib", ("$ORIGIN", "$ORIGIN/lib"), set()),
    ],
)
@pytest.mark.parametrize("kind", ["--enable-new-dtags", "--disable-new-dtags"])
def test_an_empty_entry_in_a_run_path(
    tmp_path: Path, run_path: str, paths: tuple[str, ...], rules: set[str], kind: str
) -> None:
    library = link(tmp_path, f"-Wl,{kind}", f"-Wl,-rpath,{run_path}")
    assert image_of(library).run_paths == paths
    assert rules_of(library) == rules


def test_an_empty_run_path_has_no_entries(tmp_path: Path) -> None:
    """Glibc ignores it, as it does what patchelf --set-rpath "" leaves."""
    library = link(tmp_path, "-Wl,-rpath,$ORIGIN/abc")
    data = library.read_bytes()
    library.write_bytes(data.replace(b"$ORIGIN/abc\0", b"\0" * 12))
    assert image_of(library).run_paths == ()
    assert rules_of(library) == set()


@pytest.mark.parametrize(("abi", "architecture"), [("musleabihf", "armv7l"), ("musleabi", "armel")])
def test_what_a_compiler_makes_of_arm(tmp_path: Path, abi: str, architecture: str) -> None:
    (tmp_path / "a.c").write_text("float f(float x) { return x; }\n", encoding="utf-8")
    library = tmp_path / "libdemo.so"
    zig = (sys.executable, "-m", "ziglang", "cc", "-target", f"arm-linux-{abi}", "-mcpu=generic+v7a")
    run(*zig, "-shared", "-nostdlib", "-o", library, tmp_path / "a.c")
    assert image_of(library).architecture == architecture


@pytest.mark.parametrize(("flags", "architecture"), [(0x5000400, "armv7l"), (0x5000200, "armel"), (0x5000000, "armel")])
def test_arm_with_and_without_hard_float(tmp_path: Path, flags: int, architecture: str) -> None:
    dynamic = struct.pack("<6I", 5, 2048, 6, 2048, 4, 2048) + struct.pack("<II", 0, 0)
    at = 52 + 2 * 32
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIIIIHHHHHH", 3, 40, 1, 0, 52, 0, flags, 52, 32, 2, 0, 0, 0)
    segments = struct.pack("<8I", 1, 0, 0, 0, 4096, 4096, 5, 4096)
    segments += struct.pack("<8I", 2, at, at, at, len(dynamic), len(dynamic), 6, 4)
    library = tmp_path / "libdemo.so"
    library.write_bytes((header + segments + dynamic).ljust(4096, b"\0"))
    assert image_of(library).architecture == architecture


@pytest.mark.parametrize(
    ("commands", "systems", "minimum"),
    [
        ([(0x32, 1)], ("macOS",), "11.0"),
        ([(0x32, 2)], ("iOS",), None),
        ([(0x32, 6)], ("Mac Catalyst",), None),
        ([(0x32, 7)], ("the iOS simulator",), None),
        ([(0x32, 6), (0x32, 1)], ("Mac Catalyst", "macOS"), "11.0"),
        ([(0x32, 99)], ("platform 99 of Apple",), None),
        ([(0x24, 0)], ("macOS",), "11.0"),
        ([(0x25, 0)], ("iOS",), None),
        ([], (), None),
    ],
)
def test_the_systems_of_apple(
    tmp_path: Path, commands: list[tuple[int, int]], systems: tuple[str, ...], minimum: str | None
) -> None:
    version = 11 << 16
    made = [
        struct.pack("<6I", 0x32, 24, system, version, version, 0)
        if command == 0x32
        else struct.pack("<4I", command, 16, version, version)
        for command, system in commands
    ]
    library = tmp_path / "libdemo.dylib"
    library.write_bytes(mach_o(made, b""))
    image = image_of(library)
    assert (image.systems, image.minimum_os) == (systems, minimum)
