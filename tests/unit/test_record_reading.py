"""Reading what a build recorded: from libraries of three formats, and from the file in a wheel's metadata."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.processes import run

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.config import cmake_dir
from tvm_ffi_build.contract.evidence.build_record import BuiltLibrary, Compiler, read_record, recorded_runtime
from tvm_ffi_build.errors import RecordError, UnreadableBinaryError
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from pathlib import Path

VERSION = b"0.1.15.post2\0"


def note(content: bytes, owner: bytes = b"TVM-FFI\0", kind: int = 1) -> bytes:
    def filled(data: bytes) -> bytes:
        return data + bytes(-len(data) % 4)

    return struct.pack("<III", len(owner), len(content), kind) + filled(owner) + filled(content)


def elf(notes: bytes) -> bytes:
    """Make the least that is a library: two symbols' room, an empty dynamic section, and notes."""
    tables = 64 + 3 * 56
    dynamic, notes_at = tables + 64, tables + 64 + 8 * 16
    size = notes_at + len(notes)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    rows = [(1, 0, size), (2, dynamic, 8 * 16), (4, notes_at, len(notes))]
    segments = b"".join(struct.pack("<IIQQQQQQ", kind, 4, at, at, at, length, length, 4) for kind, at, length in rows)
    # DT_STRTAB, DT_SYMTAB, DT_HASH: no buckets, no symbols.
    entries = struct.pack("<6q", 5, tables, 6, tables, 4, tables)
    return header + segments + bytes(64) + entries.ljust(8 * 16, b"\0") + notes


def mach_o(content: bytes, section: bytes = b"__tvm_ffi_abi") -> bytes:
    offset = 32 + 72 + 80
    command = struct.pack("<II16sQQQQIIII", 0x19, 152, b"__TEXT", 0, 0, 0, 0, 5, 5, 1, 0)
    command += struct.pack("<16s16sQQI28x", section, b"__TEXT", offset, len(content), offset)
    return struct.pack("<8I", 0xFEEDFACF, 0x100000C, 0, 6, 1, len(command), 0, 0) + command + content


def universal(*images: bytes) -> bytes:
    offset = 8 + 20 * len(images)
    head, body = struct.pack(">II", 0xCAFEBABE, len(images)), b""
    for image in images:
        head += struct.pack(">5I", 0x100000C, 0, offset + len(body), len(image), 0)
        body += image
    return head + body


def pe(content: bytes, section: bytes = b".tvmffi") -> bytes:
    content = content.ljust(512, b"\0")
    optional = struct.pack("<H106xI", 0x20B, 0)
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HH12xHH", 0x8664, 1, len(optional), 0x2000) + optional
    head += struct.pack("<8sIIII16x", section, len(content), 0x1000, len(content), 512)
    return head.ljust(512, b"\0") + content


@pytest.mark.parametrize(
    "library",
    [
        elf(note(VERSION)),
        # Others have notes too, also of an owner's name and kind that are nearly these.
        elf(note(bytes(16), b"GNU\0", 5) + note(VERSION, kind=2) + note(b"x", b"TVM-FFI2\0") + note(VERSION)),
        # Three parts of one library.
        elf(note(VERSION) * 3),
        elf(note(VERSION) + b"\xff" * 40),
        mach_o(VERSION),
        mach_o(VERSION * 3),
        universal(mach_o(VERSION), mach_o(VERSION)),
        pe(VERSION),
        pe(VERSION.ljust(32, b"\0") + VERSION),
    ],
)
def test_the_version_is_read(library: bytes, tmp_path: Path) -> None:
    assert recorded_runtime(library) == "0.1.15.post2"
    (tmp_path / "library").write_bytes(library)
    assert recorded_runtime(tmp_path / "library") == "0.1.15.post2"


@pytest.mark.parametrize(
    "library",
    [
        elf(b""),
        elf(note(VERSION, b"TVM-FF\0")),
        mach_o(VERSION, b"__other"),
        pe(VERSION, b".other"),
        mach_o(b""),
        pe(b""),
        # Half of it is not said.
        universal(mach_o(VERSION), mach_o(b"")),
    ],
)
def test_a_library_without_a_record(library: bytes) -> None:
    assert recorded_runtime(library) is None


def test_a_library_that_was_built_without_this_package() -> None:
    assert recorded_runtime(find_runtime().library) is None


@pytest.mark.parametrize(
    "library", [elf(note(VERSION) + note(b"0.1.9\0")), universal(mach_o(VERSION), mach_o(b"0.1.9\0"))]
)
def test_parts_that_contradict_each_other(library: bytes) -> None:
    message = (
        r"^lib\.so was compiled against different runtimes \(0\.1\.15\.post2, 0\.1\.9\), part by part; build it again$"
    )
    with pytest.raises(RecordError, match=message):
        recorded_runtime(library, "lib.so")


@pytest.mark.parametrize("text", [b"newest\0", b"0.1.15\xff\0", b"1 2\0", b"-\0", b"0.1\n0.2\0", b"1\0" * 40_000])
def test_a_record_that_is_no_version(text: bytes) -> None:
    for library in (elf(note(text)), mach_o(text), pe(text)):
        with pytest.raises(
            RecordError, match=r"^lib\.so has a damaged record of the runtime that it was compiled against"
        ):
            recorded_runtime(library, "lib.so")


def test_what_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "empty.so").write_bytes(b"")
    for library in (b"", b"text", tmp_path / "empty.so"):
        with pytest.raises(UnreadableBinaryError):
            recorded_runtime(library)


@settings(deadline=None)
@given(st.data())
def test_any_bytes_are_a_version_nothing_or_one_error(data: st.DataObject) -> None:
    library = bytearray(
        data.draw(st.sampled_from([elf(note(VERSION)), mach_o(VERSION), pe(VERSION), universal(mach_o(VERSION))]))
    )
    for _ in range(data.draw(st.integers(0, 6))):
        library[data.draw(st.integers(0, len(library) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(library[: data.draw(st.integers(0, len(library)))] if data.draw(st.booleans()) else library)
    with suppress(RecordError, UnreadableBinaryError):  # and nothing else
        version = recorded_runtime(content + data.draw(st.binary(max_size=20)))
        assert version is None or version[0].isdigit()


@pytest.mark.parametrize("compiler", [["-x", "c"], ["-x", "c++"], ["-m32"], ["-flto"]])
def test_what_the_compiler_makes_of_the_source_is_a_note(tmp_path: Path, compiler: list[str]) -> None:
    text = (cmake_dir() / "record.c.in").read_text(encoding="utf-8")
    (tmp_path / "record.c").write_text(
        text.replace("@version@", "0.1.9").replace("@identifier@", "a"), encoding="utf-8"
    )
    library = tmp_path / "library.so"
    run("cc", *compiler, "-shared", "-fPIC", "-nostdlib", "-o", library, tmp_path / "record.c")
    assert recorded_runtime(library) == "0.1.9"
    assert "NT_VERSION" in run("readelf", "-nW", library).stdout
    # The section headers are for other tools, which may remove them.
    content = bytearray(library.read_bytes())
    offset, count = (0x20, 0x30) if "-m32" in compiler else (0x28, 0x3C)
    content[offset : offset + 4] = bytes(4)
    content[count : count + 2] = bytes(2)
    library.write_bytes(content)
    assert recorded_runtime(library) == "0.1.9"
    assert read_binary(library).images[0].sections == ()


RECORD: dict[str, Any] = {
    "schema": 1,
    "runtime": "0.1.15.post2",
    "tvm-ffi-build": "0.1.0",
    "cmake": "4.4.0",
    "compilers": {"CXX": {"id": "GNU", "version": "12.2.0"}},
    "libraries": [{"name": "libsample.so", "link": "prebuilt"}],
}


def test_a_wheels_record_is_read() -> None:
    record = read_record(json.dumps(RECORD).encode())
    assert (record.runtime, record.tvm_ffi_build, record.cmake) == ("0.1.15.post2", "0.1.0", "4.4.0")
    assert record.compilers == {"CXX": Compiler("GNU", "12.2.0")}
    assert record.libraries == (BuiltLibrary("libsample.so", "prebuilt"),)
    assert record.derived == {}
    assert record.cuda_architectures == ()


def test_the_record_lists_what_cuda_code_was_compiled_for() -> None:
    record = read_record(json.dumps({**RECORD, "cuda-architectures": ["80-real", "120"]}).encode())
    assert record.cuda_architectures == ("80-real", "120")


def test_there_is_room_for_more() -> None:
    more = {**RECORD, "derived": {"range": ">=0.1.9"}, "colour": "blue"}
    assert read_record(json.dumps(more).encode()).derived == {"range": ">=0.1.9"}


@pytest.mark.parametrize("schema", [2, 10**30])
def test_a_record_of_a_later_schema_says_so(schema: int) -> None:
    with pytest.raises(RecordError) as caught:
        read_record(json.dumps({"schema": schema}).encode(), "a.whl")
    assert str(caught.value) == (
        f"a.whl has the schema {schema}, this tvm-ffi-build knows 1; run: python -m pip install -U tvm-ffi-build"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 0},
        {"schema": "1"},
        {"schema": None},
        {"schema": True},
        {"schema": 2.0},
        {"runtime": "newest"},
        {"runtime": 1},
        {"runtime": "0.1.é"},
        {"cmake": None},
        {"compilers": []},
        {"compilers": {"C": "GNU"}},
        {"libraries": {}},
        {"libraries": [{"name": "a"}]},
        {"libraries": [{"name": "a", "link": "glue"}]},
        {"libraries": None},
        {"derived": []},
        {"cuda-architectures": "80"},
        {"cuda-architectures": [80]},
        {"tvm-ffi-build": {}},
    ],
)
def test_a_record_that_was_changed(change: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match=r"^a\.whl was changed or is not a build record; build the wheel again$"):
        read_record(json.dumps({**RECORD, **change}).encode(), "a.whl")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"1", b"\xff\xfe", b"null", b'{"schema": 1, "schema": 1}', b"[" * 100_000, b"9" * 10_000]
)
def test_what_is_no_record(data: bytes) -> None:
    with pytest.raises(RecordError, match="not a build record"):
        read_record(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.binary()
    | st.builds(lambda part, key: json.dumps({**RECORD, key: part}).encode(), JSON, st.sampled_from([*RECORD]))
)
def test_any_bytes_are_a_record_or_one_error(data: bytes) -> None:
    with suppress(RecordError):  # and nothing else
        read_record(data)
