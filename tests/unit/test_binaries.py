"""The readers, on the real libraries of three platforms, and on damaged copies of them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvm_ffi_build.binaries import read_imports
from tvm_ffi_build.binaries.agnostic import main, python_imports
from tvm_ffi_build.errors import UnreadableBinaryError
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
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


def test_what_a_library_needs(foreign: Path) -> None:
    runtime = find_runtime(foreign)
    imports = read_imports(runtime.cython_library)
    assert runtime.library.name in {name.rpartition("/")[2] for name in imports.libraries}
    assert "TVMFFIFunctionCall" in imports.symbols


def test_elf_agrees_with_pyelftools(foreign: Path) -> None:
    libraries = [path for path in sorted(foreign.rglob("*.so")) if path.read_bytes()[:4] == b"\x7fELF"]
    for path in libraries:
        with path.open("rb") as file:
            elf: Any = ELFFile(file)
            needed = [
                tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags() if tag.entry.d_tag == "DT_NEEDED"
            ]
            symbols = [
                symbol.name
                for symbol in elf.get_section_by_name(".dynsym").iter_symbols()
                if symbol["st_shndx"] == "SHN_UNDEF" and symbol.name
            ]
        imports = read_imports(path)
        assert list(imports.libraries) == needed
        assert list(imports.symbols) == symbols


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
        read_imports(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"\x7fELF\x02\x01", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\xff\xff\xff\xff", b"text"],
)
def test_what_is_no_library(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(content)
    with pytest.raises(UnreadableBinaryError, match=r"lib\.so"):
        read_imports(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableBinaryError, match="cannot be read"):
        read_imports(tmp_path / "missing.so")


def test_the_program_names_the_library_and_the_remedy(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = find_runtime(foreign)
    main([str(runtime.library)])
    with pytest.raises(SystemExit) as caught:
        main([str(runtime.library), str(runtime.cython_library)])
    assert caught.value.code == 10
    line = capsys.readouterr().err
    assert line.startswith(f"tvm-ffi-build: error: {runtime.cython_library.name} calls into CPython (")
    assert 'wheel.py-api = ""' in line
