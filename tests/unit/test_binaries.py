"""The readers, on the real libraries of three platforms, and on damaged copies of them."""

from __future__ import annotations

import struct
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from elftools.elf.elffile import ELFFile
from forged_libraries import (
    BOMBS,
    NO_LIBRARIES,
    elf_with_one_name_for_all,
    mach_o,
    pe_with_delayed_import,
    pe_with_shared_thunks,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.processes import run

from tvm_ffi_build.binaries import Symbol, read_binary
from tvm_ffi_build.binaries.python_calls import python_imports
from tvm_ffi_build.cmake_steps.check_agnostic import main
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


HASHES = [
    [],
    ["-m32"],
    ["-Wl,--hash-style=sysv"],
    ["-Wl,--hash-style=both"],
    ["-Wl,--hash-style=gnu"],
    ["-m32", "-Wl,--hash-style=gnu"],
]


@pytest.mark.parametrize("flags", HASHES)
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


@pytest.mark.parametrize(
    "flags", [*HASHES, ["-Wl,--hash-style=gnu", "-Wl,-z,now"], ["-Wl,--hash-style=gnu", "-fno-plt"]]
)
def test_what_a_library_needs_that_offers_nothing(tmp_path: Path, flags: list[str]) -> None:
    """Such as one that only registers functions when it is loaded. What GNU ld says of its symbols is not true then."""
    source = tmp_path / "a.c"
    source.write_text(
        "int PyErr_CheckSignals(void); extern int PyThing_Variable; int (*const pointer)(void) = PyErr_CheckSignals;\n"
        "__attribute__((constructor)) static void f(void) { PyThing_Variable = pointer() + PyErr_CheckSignals(); }\n",
        encoding="utf-8",
    )
    library = tmp_path / "liba.so"
    run("cc", "-shared", "-fPIC", "-nostdlib", "-fvisibility=hidden", "-o", library, source, *flags)
    assert read_binary(library).exported == ()
    assert python_imports(library) == ["PyErr_CheckSignals", "PyThing_Variable"]


@pytest.mark.parametrize("flags", [*HASHES, ["-Wl,-z,now"], ["-fno-plt"], ["-Wl,-z,pack-relative-relocs"]])
def test_a_symbol_that_no_relocation_refers_to_is_not_needed(tmp_path: Path, flags: list[str]) -> None:
    """As _ZSt21ios_base_library_initv, which the <iostream> of GCC 13 declares."""
    (tmp_path / "a.c").write_text(
        '__asm__(".globl never_looked_up"); int called(void); extern int read_here; static int own;\n'
        "int *address = &own; int f(void) { return called() + read_here + *address; }\n",
        encoding="utf-8",
    )
    library = tmp_path / "liba.so"
    run("cc", "-shared", "-fPIC", "-nostdlib", "-o", library, tmp_path / "a.c", *flags)
    assert "never_looked_up" in run("nm", "-D", "--undefined-only", library).stdout
    assert sorted(read_binary(library).imported) == ["called", "read_here"]


@pytest.mark.parametrize(("flags", "level"), [([], 1), (["-Wl,-z,x86-64-v2"], 2), (["-Wl,-z,x86-64-v3"], 3)])
def test_the_level_of_x86_64_that_a_library_asks_for(tmp_path: Path, flags: list[str], level: int) -> None:
    (tmp_path / "a.c").write_text("int f(void) { return 0; }", encoding="utf-8")
    run("cc", "-shared", "-fPIC", "-nostdlib", "-o", tmp_path / "liba.so", tmp_path / "a.c", *flags)
    (image,) = read_binary(tmp_path / "liba.so").images
    assert image.level == level


def test_symbols_have_the_versions_that_a_script_gives_them(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int f(void) { return 0; }\nint g(void) { return 0; }\n", encoding="utf-8")
    (tmp_path / "a.map").write_text("V_1 { f; };\nV_2 { global: g; local: *; } V_1;\n", encoding="utf-8")
    script = f"-Wl,--version-script={tmp_path / 'a.map'}"
    run("cc", "-shared", "-fPIC", "-nostdlib", "-o", tmp_path / "liba.so", tmp_path / "a.c", script)
    (image,) = read_binary(tmp_path / "liba.so").images
    assert {symbol.name: symbol.version for symbol in image.exports if symbol.name in "fg"} == {"f": "V_1", "g": "V_2"}


def test_an_object_file_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(
        "int PyErr_CheckSignals(void); int f(void) { return PyErr_CheckSignals(); }", encoding="utf-8"
    )
    run("cc", "-c", "-o", tmp_path / "a.o", tmp_path / "a.c")
    with pytest.raises(UnreadableBinaryError, match="not a shared library"):
        read_binary(tmp_path / "a.o")


@pytest.mark.parametrize("case", BOMBS)
def test_a_file_that_makes_work_out_of_nothing_is_refused(tmp_path: Path, case: str) -> None:
    content = BOMBS[case]()
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


def test_older_macos_libraries_say_which_system_they_need_in_another_way(tmp_path: Path) -> None:
    path = tmp_path / "lib.dylib"
    ios, macos = struct.pack("<6I", 0x32, 24, 2, 17 << 16, 0, 0), struct.pack("<4I", 0x24, 16, 10 << 16 | 13 << 8, 0)
    for commands, minimum in (([macos], "10.13"), ([ios, macos], "10.13"), ([ios], None)):
        path.write_bytes(mach_o(commands, b""))
        (image,) = read_binary(path).images
        assert image.minimum_os == minimum


def test_names_of_sections_may_be_longer_than_their_room(tmp_path: Path) -> None:
    """As MinGW's linker writes them: a number, of a place behind the symbols."""
    content = pe_with_shared_thunks(1)
    at_strings = len(content) + 18
    content = content.replace(b".rdata\0\0", b"/4\0\0\0\0\0\0")
    header = content[: 64 + 4 + 8] + struct.pack("<II", len(content), 1) + content[64 + 4 + 16 :]
    (tmp_path / "a.dll").write_bytes(header + bytes(18) + struct.pack("<I", 30) + b".tvm_ffi_long_name\0")
    assert at_strings == len(header) + 18
    (image,) = read_binary(tmp_path / "a.dll").images
    assert [section.name for section in image.sections] == [".tvm_ffi_long_name"]


def test_a_dll_names_the_functions_that_it_loads_at_their_first_call(tmp_path: Path) -> None:
    (tmp_path / "a.dll").write_bytes(pe_with_delayed_import("python312.dll", "Py_IsInitialized"))
    (image,) = read_binary(tmp_path / "a.dll").images
    assert (image.libraries, image.delayed) == ((), ("python312.dll",))
    assert image.imports == (Symbol("Py_IsInitialized", library="python312.dll"),)


def test_a_dll_may_have_a_name_and_no_exports(tmp_path: Path) -> None:
    content = pe_with_shared_thunks(1)
    at_table, at_name = len(content), len(content) + 40
    at = content.index(struct.pack("<H", 0x20B)) + 112
    content = content[:at] + struct.pack("<II", at_table, 40) + content[at + 8 :]
    (tmp_path / "a.dll").write_bytes(content + struct.pack("<12xI24x", at_name) + b"mine.dll\0")
    (image,) = read_binary(tmp_path / "a.dll").images
    assert (image.name, image.exports) == ("mine.dll", ())


@pytest.fixture
def damaged(foreign: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "damaged.so"
        path.write_bytes(content)
        return path

    return write


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)
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


@pytest.mark.parametrize("case", NO_LIBRARIES)
def test_what_is_no_library(tmp_path: Path, case: str) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(NO_LIBRARIES[case]())
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
    assert caught.value.code == 5
    line = capsys.readouterr().err
    assert line.startswith(f"tvm-ffi-build: error: {runtime.cython_library.name} calls into CPython (")
    assert 'wheel.py-api = ""' in line
