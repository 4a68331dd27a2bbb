"""The readers, on the real libraries of three platforms, and on damaged copies of them."""

from __future__ import annotations

import struct
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run
from elftools.elf.elffile import ELFFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvm_ffi_build.binaries import Symbol, read_binary
from tvm_ffi_build.binaries.agnostic import main, python_imports
from tvm_ffi_build.errors import UnreadableBinaryError
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NEWEST = "0.1.15.post2"
PLATFORMS = {
    "linux": "aarch64-manylinux_2_28",
    "macos": "aarch64-apple-darwin",
    "windows": "x86_64-pc-windows-msvc",
}


@pytest.fixture(params=PLATFORMS)
def foreign(request: pytest.FixtureRequest, unpacked_runtime: Callable[..., Path]) -> Path:
    """Return a folder with the runtime of each platform that it has wheels for."""
    return unpacked_runtime(NEWEST, PLATFORMS[request.param])


def test_the_runtimes_library_does_not_call_python_and_its_module_does(foreign: Path) -> None:
    runtime = find_runtime(foreign)
    assert python_imports(runtime.library) == []
    found = python_imports(runtime.cython_library)
    assert "PyLong_FromLongLong" in found or "PyLong_FromLong" in found
    assert len(found) > 100


def test_what_a_library_offers(foreign: Path) -> None:
    runtime = find_runtime(foreign)
    assert {"TVMFFIFunctionCall", "TVMFFIObjectDecRef"} <= set(read_binary(runtime.library).exported)
    module = read_binary(runtime.cython_library).exported
    assert "PyInit_core" in module
    assert "TVMFFIFunctionCall" not in module


def test_what_a_library_needs(foreign: Path) -> None:
    runtime = find_runtime(foreign)
    module = read_binary(runtime.cython_library)
    assert runtime.library.name in {name.rpartition("/")[2] for name in module.libraries}
    assert "TVMFFIFunctionCall" in module.imported


def test_elf_agrees_with_pyelftools(unpacked_runtime: Callable[..., Path]) -> None:
    libraries = [*unpacked_runtime(NEWEST, PLATFORMS["linux"]).rglob("*.so"), find_runtime().library]
    assert len(libraries) > 3
    for path in libraries:
        (image,) = read_binary(path).images
        with path.open("rb") as file:
            elf: Any = ELFFile(file)
            assert image.architecture == {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}[elf["e_machine"]]
            tags = list(elf.get_section_by_name(".dynamic").iter_tags())
            needed = [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]
            assert list(image.libraries) == needed
            assert [image.name] == [tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"] or image.name is None
            run_paths = [tag.runpath for tag in tags if tag.entry.d_tag == "DT_RUNPATH"]
            assert list(image.run_paths) == [part for paths in run_paths for part in paths.split(":")]
            sections = {section.name: section["sh_size"] for section in elf.iter_sections() if section.name}
            assert {section.name: section.size for section in image.sections}.items() <= sections.items()
            assert {".dynsym", ".text", ".rodata"} <= {section.name for section in image.sections}
            assert list(symbols_of(elf)) == [*image.imports, *image.exports]


def symbols_of(elf: Any) -> Iterator[Symbol]:
    """Yield the dynamic symbols as pyelftools has them, those that are needed first."""
    versions = elf.get_section_by_name(".gnu.version")
    needed = elf.get_section_by_name(".gnu.version_r")
    symbols = list(enumerate(elf.get_section_by_name(".dynsym").iter_symbols()))
    for number, symbol in sorted(symbols, key=lambda pair: pair[1]["st_shndx"] != "SHN_UNDEF"):
        weak = symbol["st_info"]["bind"] in {"STB_WEAK", "STB_LOOS"}
        index = versions.get_symbol(number)["ndx"] if versions else 0
        found = needed.get_version(index) if needed and isinstance(index, int) else None
        version = (found[1].name, found[0].name) if found else ("", "")
        if symbol.name and symbol["st_info"]["bind"] != "STB_LOCAL":
            yield Symbol(symbol.name, version[0], version[1], weak)


@pytest.mark.parametrize("flags", [[], ["-m32"], ["-Wl,--hash-style=sysv"], ["-Wl,--hash-style=both"]])
def test_elf_of_each_kind_is_read_without_its_section_headers(tmp_path: Path, flags: list[str]) -> None:
    """The dynamic linker does not need them, so neither may a check."""
    source = tmp_path / "a.c"
    source.write_text("int PyErr_CheckSignals(void); int f(void) { return PyErr_CheckSignals(); }", encoding="utf-8")
    library = tmp_path / "liba.so"
    run("cc", "-shared", "-fPIC", "-nostdlib", "-o", library, source, *flags)
    content = bytearray(library.read_bytes())
    offset, count = (0x20, 0x30) if "-m32" in flags else (0x28, 0x3C)
    content[offset : offset + 4] = bytes(4)
    content[count : count + 2] = bytes(2)
    library.write_bytes(content)
    assert python_imports(library) == ["PyErr_CheckSignals"]
    assert read_binary(library).exported == ("f",)


def test_an_object_file_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(
        "int PyErr_CheckSignals(void); int f(void) { return PyErr_CheckSignals(); }", encoding="utf-8"
    )
    run("cc", "-c", "-o", tmp_path / "a.o", tmp_path / "a.c")
    with pytest.raises(UnreadableBinaryError, match="no shared library"):
        read_binary(tmp_path / "a.o")


def mach_o(commands: list[bytes], rest: bytes) -> bytes:
    header = struct.pack("<8I", 0xFEEDFACF, 0x100000C, 0, 6, len(commands), sum(map(len, commands)), 0, 0)
    return header + b"".join(commands) + rest


def elf_with_one_name_for_all(count: int) -> bytes:
    """Make a library whose symbols all have the same very long name."""
    name = b"\0" + b"x" * 60_000 + b"\0"
    headers = 64 + 2 * 56
    symbols = struct.pack("<IBBHQQ", 1, 0x12, 0, 0, 0, 0) * count
    hash_table = struct.pack("<II", 1, count)
    at_symbols = headers + 4 * 16
    at_hash = at_symbols + len(symbols)
    at_names = at_hash + len(hash_table)
    dynamic = struct.pack("<8q", 5, at_names, 6, at_symbols, 4, at_hash, 0, 0)
    size = at_names + len(name)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 1)
    segments += struct.pack("<IIQQQQQQ", 2, 6, headers, headers, 0, 64, 64, 8)
    return header + segments + dynamic + symbols + hash_table + name


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


SYMTAB = struct.pack("<6I", 2, 24, 0x2000, 9000, 0, 8)


@pytest.mark.parametrize(
    "content",
    [
        elf_with_one_name_for_all(5000),
        mach_o([SYMTAB] * 2000, bytes(200_000)),
        b"\xca\xfe\xba\xbe" + struct.pack(">I", 7000) + struct.pack(">5I", 0, 0, 0, 64, 0) * 7000,
        pe_with_shared_thunks(2000),
    ],
    ids=["elf", "mach-o", "universal", "pe"],
)
def test_a_file_that_makes_work_out_of_nothing_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hostile.so"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(UnreadableBinaryError):
        read_binary(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * len(content)


def test_the_same_files_in_earnest_are_read(tmp_path: Path) -> None:
    """So it is the excess that was refused above, and nothing else in those files."""
    path = tmp_path / "honest.so"
    path.write_bytes(elf_with_one_name_for_all(1))
    assert [len(name) for name in read_binary(path).imported] == [60_000]
    path.write_bytes(pe_with_shared_thunks(1))
    (image,) = read_binary(path).images
    assert (image.libraries, image.imports) == (("ab",), (Symbol("", library="ab"),) * 2000)
    symbol = struct.pack("<IBBHQ", 1, 1, 0, 0, 0)
    path.write_bytes(mach_o([struct.pack("<6I", 2, 24, 56, 1, 72, 6)], symbol + b"\0_ab\0\0"))
    (image,) = read_binary(path).images
    assert (image.libraries, image.imports) == ((), (Symbol("ab"),))


@pytest.fixture
def damaged(foreign: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "damaged.so"
        path.write_bytes(content)
        return path

    return write


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.data())
def test_a_damaged_library_is_one_line(foreign: Path, damaged: Callable[[bytes], Path], data: st.DataObject) -> None:
    content = bytearray(find_runtime(foreign).cython_library.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        # Most of what matters stands in the headers.
        content[data.draw(st.integers(4, 0x400) | st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(4, len(content))) :]
    path = damaged(bytes(content))
    with suppress(UnreadableBinaryError):  # and nothing else
        read_binary(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"\x7fELF\x02\x01", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\xff\xff\xff\xff", b"text"],
)
def test_what_is_no_library(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(content)
    with pytest.raises(UnreadableBinaryError, match=r"lib\.so"):
        read_binary(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableBinaryError, match="cannot be read"):
        read_binary(tmp_path / "missing.so")


def test_the_program_names_the_library_and_the_remedy(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = find_runtime(foreign)
    main([str(runtime.library)])
    with pytest.raises(SystemExit) as caught:
        main([str(runtime.library), str(runtime.cython_library)])
    assert caught.value.code == 10
    line = capsys.readouterr().err
    assert line.startswith(f"tvm-ffi-build: error: {runtime.cython_library.name} calls into CPython (")
    assert 'wheel.py-api = ""' in line


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


SIZE = 4 << 20
# One entry that is never the last; and a hash table with as many buckets as there is room for, or a chain without end.
ENDLESS = struct.pack("<qQ", 1000, 1) * (SIZE // 16 - 20)
BUCKETS = struct.pack("<6q", 5, 0, 6, 0, 0x6FFFFEF5, 512) + bytes(16)


@pytest.mark.parametrize(
    "content",
    [
        elf_with_tables(ENDLESS, SIZE),
        elf_with_tables(BUCKETS, 512) + struct.pack("<4I", SIZE // 4, 0, 0, 0) + bytes(SIZE),
        elf_with_tables(struct.pack("<8q", 5, 0, 6, 0, 4, 512, 0, 0), 512)
        + struct.pack("<II", 1, 1 << 31)
        + bytes(SIZE),
        pe_with_shared_numbers(3000),
        many_sections(20_000),
        mach_o([struct.pack("<II", 0, 8)] * 400_000, b""),
    ],
    ids=["elf entries", "elf buckets", "elf symbols", "pe numbers", "universal sections", "mach-o commands"],
)
def test_tables_without_names_are_counted_as_well(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hostile.so"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(UnreadableBinaryError):
        read_binary(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * len(content)
