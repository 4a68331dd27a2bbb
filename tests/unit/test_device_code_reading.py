"""The readers of device code, on what others made and on what was forged."""

from __future__ import annotations

import hashlib
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import forged_device_code as forged
import pytest
import zstandard
from forged_device_code import CUBIN, FAMILY, LTO_IR, LZ4, PTX, SPECIFIC, TILE_IR, entry, fatbin, library_of
from hypothesis import given
from hypothesis import strategies as st

from tvm_ffi_build.binaries.device_code import DEVICE_FILE, read_device_code, read_device_file
from tvm_ffi_build.binaries.device_code.offload_bundles import read_bundle
from tvm_ffi_build.binaries.device_code.prefixes import decode_lz4_prefix, decode_zlib_prefix, decode_zstd_prefix
from tvm_ffi_build.errors import UnreadableBinaryError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tvm_ffi_build.binaries.device_code import DeviceCode


def code_in(tmp_path: Path, content: bytes, section: str = ".nv_fatbin", *, before: int = 0) -> DeviceCode:
    path = tmp_path / "library.so"
    path.write_bytes(content)
    return read_device_code(path, library_of(content, section, before=before))


def file_of(tmp_path: Path, content: bytes) -> DeviceCode:
    path = tmp_path / "code"
    path.write_bytes(content)
    return read_device_file(path)


def listed(code: DeviceCode) -> list[tuple[str, str]]:
    return [(image.kind, image.target) for image in code.images]


def test_a_fatbin_has_an_entry_for_each_architecture_and_form(tmp_path: Path) -> None:
    content = fatbin(
        entry(CUBIN, 80),
        entry(CUBIN, 90, flags=SPECIFIC),
        entry(CUBIN, 120, flags=FAMILY),
        entry(PTX, 80, isa=(8, 7)),
        entry(LTO_IR, 90),
        entry(TILE_IR, 80),
    )
    code = code_in(tmp_path, content)
    assert listed(code) == [
        ("cubin", "sm_80"),
        ("cubin", "sm_90a"),
        ("cubin", "sm_120f"),
        ("ptx", "compute_80"),
        ("lto-ir", "compute_90"),
        ("tile-ir", "compute_80"),
    ]
    assert [image.isa for image in code.images] == [None, None, None, (8, 7), None, None]


def test_sizes_are_those_in_the_file_and_without_compression(tmp_path: Path) -> None:
    content = fatbin(entry(CUBIN, 80, b"x" * 40), entry(CUBIN, 90, b"\x10\0" * 9, flags=LZ4, unpacked=4000))
    plain, packed = code_in(tmp_path, content).images
    assert (plain.size, plain.unpacked_size, plain.compression) == (40, 40, "none")
    assert (packed.size, packed.unpacked_size, packed.compression) == (18, 4000, "lz4")


def test_debug_code_and_code_that_is_not_linked_are_told_apart(tmp_path: Path) -> None:
    content = fatbin(entry(CUBIN, 80, flags=forged.DEBUG), entry(CUBIN, 90))
    assert [image.is_debug for image in code_in(tmp_path, content).images] == [True, False]
    assert not any(image.is_relocatable for image in code_in(tmp_path, content).images)
    assert all(image.is_relocatable for image in code_in(tmp_path, content, "__nv_relfatbin").images)


@pytest.mark.parametrize("section", [".nv_fatbin", ".nv_fatb", "__nv_relfatbin", "__nv_rel"])
def test_a_section_holds_several_fatbins_with_zeros_between_them(tmp_path: Path, section: str) -> None:
    content = fatbin(entry(CUBIN, 75)) + bytes(24) + fatbin(entry(CUBIN, 80)) + fatbin(entry(CUBIN, 90)) + bytes(8)
    assert [target for _, target in listed(code_in(tmp_path, content, section))] == ["sm_75", "sm_80", "sm_90"]


@pytest.mark.parametrize("gap", [0, 1, 7, 64])
def test_what_is_embedded_in_other_sections_is_found_by_how_it_begins(tmp_path: Path, gap: int) -> None:
    """At any address, since an assembler puts a file where it is told to."""
    pieces = [
        fatbin(entry(CUBIN, 80, forged.cubin(80))),
        forged.cubin(90, specific=True),
        forged.bundle(gfx942=b"code"),
    ]
    content = b"text" + b"".join(b"." * gap + piece for piece in pieces) + b"text"
    assert listed(code_in(tmp_path, content, ".rodata")) == [
        ("cubin", "sm_80"),
        ("cubin", "sm_90a"),
        ("amdgpu", "gfx942"),
    ]


def test_tables_of_linkers_and_debuggers_are_not_searched(tmp_path: Path) -> None:
    """They are large, and no source file puts data there."""
    content = forged.cubin(90)
    assert len(code_in(tmp_path, content, ".data.rel.ro").images) == 1
    for name in (".debug_info", ".zdebug_str", ".symtab", ".strtab", ".rela.dyn", ".eh_frame", ".gnu.hash"):
        assert code_in(tmp_path, content, name).images == ()


def test_bytes_that_only_look_like_device_code_are_not(tmp_path: Path) -> None:
    host = forged.elf(0, 0, 0, 1, [(3, b"\0")], machine=62)
    cut = fatbin(entry(CUBIN, 80))[:40]
    content = host + b"__CLANG_OFFLOAD_BUNDLE__ is a magic" + cut
    assert code_in(tmp_path, content, ".rodata").images == ()


@pytest.mark.parametrize(
    ("make", "toolkits"),
    [
        (lambda: forged.cubin(90), ("13.0",)),
        (lambda: forged.cubin(90, toolkit=""), ()),
        (lambda: forged.old_cubin(90), ("12.4",)),
        (lambda: forged.old_cubin(86, toolkit="11.8"), ("11.8",)),
        (lambda: fatbin(entry(CUBIN, 80, forged.old_cubin(80)), entry(CUBIN, 90, forged.cubin(90))), ("12.4", "13.0")),
    ],
)
def test_the_toolkit_is_in_the_header_of_older_cubins_and_in_a_note_of_newer(
    tmp_path: Path, make: Callable[..., bytes], toolkits: tuple[str, ...]
) -> None:
    assert file_of(tmp_path, make()).toolkits == toolkits


@pytest.mark.parametrize("make", [forged.cubin, forged.old_cubin])
@pytest.mark.parametrize(("number", "specific", "target"), [(75, False, "sm_75"), (90, True, "sm_90a")])
def test_a_bare_cubin_says_what_it_is_for(
    tmp_path: Path, make: Callable[..., bytes], number: int, specific: bool, target: str
) -> None:
    assert listed(file_of(tmp_path, make(number, specific=specific))) == [("cubin", target)]


def test_a_bare_cubin_for_debuggers(tmp_path: Path) -> None:
    assert [file_of(tmp_path, forged.cubin(90, debug=debug)).images[0].is_debug for debug in (True, False)] == [
        True,
        False,
    ]


PTX_TEXT = """//
// Generated by NVIDIA NVVM Compiler
// Cuda compilation tools, release 13.0, V13.0.88
//

.version 9.0
.target sm_90a{}
.address_size 64
"""


@pytest.mark.parametrize(("more", "is_debug"), [("", False), (", debug", True), (", texmode_independent", False)])
def test_bare_ptx(tmp_path: Path, more: str, is_debug: bool) -> None:
    code = file_of(tmp_path, PTX_TEXT.format(more).encode())
    assert listed(code) == [("ptx", "compute_90a")]
    assert (code.images[0].isa, code.images[0].is_debug, code.toolkits) == ((9, 0), is_debug, ("13.0",))


@pytest.mark.parametrize("content", [b"text", b"\0.version 9.0\n.target sm_90\n", b".version 9.0\n.target gfx90\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableBinaryError, match="is not device code"):
        file_of(tmp_path, content)


def test_a_version_or_a_kind_that_is_not_known_is_reported_as_such(tmp_path: Path) -> None:
    images = code_in(
        tmp_path, fatbin(entry(CUBIN, 80), version=2) + fatbin(entry(5, 80), entry(CUBIN, 80, version=2))
    ).images
    assert [image.kind for image in images] == ["unknown"] * 3
    assert [image.note for image in images] == [
        "a fatbin of version 2",
        "a fatbin entry of kind 5, version 0x101",
        "a fatbin entry of kind 2, version 0x2",
    ]


DAMAGED = {
    "cut short": fatbin(entry(CUBIN, 80))[:-8],
    "no fatbin": b"no fatbin" * 4,
    "a header without end": struct.pack("<IHHQ", 0xBA55ED50, 1, 16, 1 << 63),
    "a header of nothing": struct.pack("<IHHQ", 0xBA55ED50, 1, 0, 0),
    "an entry of nothing": fatbin(struct.pack("<HHIQ", 2, 0x101, 0, 0) + bytes(48)),
    "an entry that is larger than the fatbin": fatbin(struct.pack("<HHIQ", 2, 0x101, 64, 1 << 40) + bytes(48)),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_section_is_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(UnreadableBinaryError, match="has damaged device code; build or download it again"):
        code_in(tmp_path, DAMAGED[case])


def test_a_section_that_is_not_in_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    content = fatbin(entry(CUBIN, 80))
    path.write_bytes(content[:-8])
    with pytest.raises(UnreadableBinaryError, match="damaged device code"):
        read_device_code(path, library_of(content))


def test_a_bundle_of_clang(tmp_path: Path) -> None:
    content = forged.bundle(**{"gfx90a:sramecc+:xnack-": b"one", "gfx942": b"three"})
    assert [(image.target, image.size) for image in code_in(tmp_path, content, ".hip_fatbin").images] == [
        ("gfx90a:sramecc+:xnack-", 3),
        ("gfx942", 5),
    ]
    assert read_bundle(content, 0, len(content)).ids[0] == "host-x86_64-unknown-linux--"


@pytest.mark.parametrize(
    ("version", "sizes"), [(1, "<I"), (2, "<II"), (3, "<QQ")], ids=["version 1", "version 2", "version 3"]
)
def test_a_compressed_bundle_of_each_version(tmp_path: Path, version: int, sizes: str) -> None:
    content = forged.bundle(gfx1100=hashlib.shake_256(b"a").digest(3000), gfx942=hashlib.shake_256(b"b").digest(1000))
    packed = zlib.compress(content)
    total = 8 + struct.calcsize(sizes) + 8 + len(packed)
    numbers = (len(content),) if version == 1 else (total, len(content))
    whole = struct.pack("<4sHH", b"CCOB", version, 0) + struct.pack(sizes, *numbers) + bytes(8) + packed
    images = code_in(tmp_path, whole, ".hip_fatbin").images
    assert [(image.target, image.unpacked_size, image.compression) for image in images] == [
        ("gfx1100", 3000, "zlib"),
        ("gfx942", 1000, "zlib"),
    ]
    # They share what is compressed by their sizes.
    assert abs(sum(image.size for image in images) - len(packed)) < 2


@pytest.mark.parametrize(
    "head",
    [struct.pack("<4sHH", b"CCOB", 9, 0), struct.pack("<4sHHII", b"CCOB", 2, 5, 40, 40), b"__CLANG_OFFLOAD_BUNDLE__"],
)
def test_a_bundle_of_another_kind_is_refused(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(UnreadableBinaryError):
        code_in(tmp_path, head.ljust(64, b"\xff"), ".hip_fatbin")


def test_a_code_object_of_amd_says_its_target_in_its_metadata(tmp_path: Path) -> None:
    note = b"\xadamdhsa.target\xb9amdgcn-amd-amdhsa--gfx90a:xnack-\xaeamdhsa.version"
    assert listed(file_of(tmp_path, forged.elf(0x3F, 64, 4, 1, [(3, b"\0"), (7, note)], machine=224))) == [
        ("amdgpu", "gfx90a:xnack-")
    ]
    assert listed(file_of(tmp_path, forged.elf(0x3F, 64, 4, 1, [(3, b"\0")], machine=224))) == [
        ("amdgpu", "machine 0x3f")
    ]


@pytest.mark.parametrize("name", ["a.cubin", "b.fatbin", "c.ptx", "d/e.hsaco", "F.PTX"])
def test_files_of_device_code_are_known_by_their_names(name: str) -> None:
    assert DEVICE_FILE.search(name)
    assert not DEVICE_FILE.search(f"{name}.py")


WORDS = st.lists(st.sampled_from([b"kernel", b"\0\0\0\0", b".text.", b"x" * 70, bytes(range(256))]), max_size=60)
CONTENTS = st.one_of(st.binary(max_size=3000), WORDS.map(b"".join), st.binary(max_size=40).map(lambda data: data * 90))


@given(CONTENTS, st.integers(-5, 19), st.integers(0, 5000))
def test_a_prefix_is_what_zstd_compressed(content: bytes, level: int, wanted: int) -> None:
    assert decode_zstd_prefix(zstandard.compress(content, level), wanted) == content[:wanted]


@given(CONTENTS, st.integers(0, 5000))
def test_a_prefix_is_what_zlib_compressed(content: bytes, wanted: int) -> None:
    assert decode_zlib_prefix(zlib.compress(content), wanted or 1) == content[: wanted or 1]


def lz4_block(content: bytes, distance: int, match: int) -> tuple[bytes, bytes]:
    """Return an LZ4 block: content, then a part of it again, then a last literal; and what it stands for."""

    def more(length: int) -> bytes:
        return b"" if length < 15 else b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])

    token = min(15, len(content)) << 4 | min(15, match - 4)
    block = bytes([token]) + more(len(content)) + content + struct.pack("<H", distance) + more(match - 4) + b"\x10!"
    whole = bytearray(content)
    for _ in range(match):
        whole.append(whole[-distance])
    return block, bytes(whole) + b"!"


@given(st.binary(min_size=1, max_size=600), st.integers(1, 600), st.integers(4, 900), st.integers(0, 1600))
def test_a_prefix_is_what_lz4_compressed(content: bytes, distance: int, match: int, wanted: int) -> None:
    block, whole = lz4_block(content, min(distance, len(content)), match)
    assert decode_lz4_prefix(block, wanted) == whole[:wanted]


@pytest.mark.parametrize("decode", [decode_lz4_prefix, decode_zlib_prefix, decode_zstd_prefix])
@pytest.mark.parametrize("head", [b"", b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd\x20\x40\x15\x01\0"])
@given(data=st.binary(max_size=400), wanted=st.integers(1, 5000))
def test_other_bytes_give_an_error_or_no_more_than_was_asked_for(
    decode: Callable[[bytes, int], bytes], head: bytes, data: bytes, wanted: int
) -> None:
    with suppress(ValueError, IndexError):
        assert len(decode(head + data, wanted)) <= wanted
