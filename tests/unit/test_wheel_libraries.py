"""Which files of a wheel are libraries, and which wheels are those of TVM-FFI extensions."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import pytest
from forged_libraries import elf_of, elf_with_one_name_for_all, mach_o, mach_o_of, pe_with_shared_thunks
from support.commands import run_command
from support.processes import run

from tvm_ffi_build.errors import UnreadableBinaryError
from tvm_ffi_build.runtime import find_runtime
from tvm_ffi_build.wheels import open_wheel
from tvm_ffi_build.wheels.libraries import read_libraries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tvm_ffi_build.wheels.libraries import WheelLibraries

ELF, MACH_O, DLL = elf_with_one_name_for_all(1), mach_o([], b""), pe_with_shared_thunks(1)


def launcher(machine: int) -> bytes:
    """Return a program of Windows for a processor."""
    at = 64 + 4
    return DLL[:at] + struct.pack("<H", machine) + DLL[at + 2 : at + 18] + struct.pack("<H", 2) + DLL[at + 20 :]


REQUIRED = ["Requires-Dist: apache-tvm-ffi<0.2,>=0.1"]


@pytest.fixture
def read(make_wheel: Callable[..., Path], tmp_path: Path) -> Callable[..., WheelLibraries]:
    """Return a function that reads the libraries of a wheel with some files."""

    def of(files: dict[str, bytes], **options: object) -> WheelLibraries:
        path = make_wheel(files, **options)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with open_wheel(path) as wheel:
            return read_libraries(wheel, tmp_path / "unpacked" / digest)

    return of


@pytest.mark.parametrize(
    "name",
    [
        "demo/libdemo.so",
        "demo/libcrypto.so.1.1.1k",
        "demo/libstemmer.so.0d",
        "demo/libMLIR.so.24.0git",
        "demo.libs/libcry-a94305d7.so.1.1.1k",
        "demo/plugin.tvmx",
        "demo/libpy.bin",
        "demo/bin/tool",
        "demo-1.0.data/scripts/tool",
        "demo-1.0.data/data/share/a",
        "demo/no_python.py",
        "demo/LIB.SO",
    ],
)
@pytest.mark.parametrize("content", [ELF, MACH_O, DLL, mach_o_of(2)], ids=["ELF", "Mach-O", "PE", "program"])
def test_a_library_is_one_by_its_bytes(read: Callable[..., WheelLibraries], name: str, content: bytes) -> None:
    libraries = read({name: content, "demo/__init__.py": b""})
    assert libraries.binaries.keys() == libraries.paths.keys() == {name}
    assert libraries.paths[name].read_bytes() == content


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("demo/kernel.cubin", elf_of(2, 190), "device code"),
        ("demo/kernel.so", elf_of(3, 224), "device code"),
        ("demo/filter.o", elf_of(1, 247), "device code"),
        ("demo/module.ko", elf_of(1), "object file"),
        ("demo/code.bin", elf_of(1), "object file"),
        ("demo/libdemo.a", b"!<arch>\n", "static library"),
        ("demo/libdemo.so", b"!<thin>\n", "static library"),
        ("demo/libdemo.dylib.dSYM/Contents/Resources/DWARF/libdemo.dylib", MACH_O, "debug symbols"),
        ("demo/libdemo.dwarf", mach_o_of(10), "debug symbols"),
        ("demo/A.class", b"\xca\xfe\xba\xbe\0\0\0\x34\0\x1d\x0a\0", None),
        ("demo/MZ.txt", b"MZ is a text", None),
        ("demo/table.bin", b"\x7fEL", None),
    ],
)
def test_what_is_for_others_is_not_a_library(
    read: Callable[..., WheelLibraries], name: str, content: bytes, kind: str | None
) -> None:
    """And not damaged for that: the wheel is read as if the file were a text."""
    libraries = read({name: content, "demo/lib.so": ELF}, metadata=REQUIRED)
    assert libraries.binaries.keys() == {"demo/lib.so"}
    assert libraries.others.get(name) == kind
    assert libraries.reason_to_skip() == ""


@pytest.mark.parametrize(
    ("tag", "name", "machine", "is_read"),
    [
        ("manylinux_2_28_x86_64", "demo/vendor/t64.exe", 0x8664, False),
        ("macosx_11_0_arm64", "demo/vendor/t64.exe", 0x8664, False),
        ("win_amd64", "demo/vendor/t64-arm.exe", 0xAA64, False),
        ("win_amd64", "demo/vendor/t64.exe", 0x8664, True),
        ("win_amd64", "demo-1.0.data/scripts/tool.exe", 0xAA64, True),
    ],
)
def test_programs_that_start_scripts_on_windows_are_data(
    read: Callable[..., WheelLibraries], tag: str, name: str, machine: int, is_read: bool
) -> None:
    """Packages that make scripts have one for each processor, in wheels for every system."""
    libraries = read({name: launcher(machine)}, tag=f"py3-none-{tag}")
    assert (name in libraries.binaries) == is_read


@pytest.mark.parametrize("name", ["demo/tests/cut.elf", "demo/fat"])
def test_damaged_test_data_matters_in_an_extension_only(read: Callable[..., WheelLibraries], name: str) -> None:
    files = {name: ELF[:70], "demo/lib.so": ELF}
    assert read(files).reason_to_skip() == "does not use apache-tvm-ffi"
    with pytest.raises(UnreadableBinaryError, match=f"whl: {name} is not a shared library, or is cut short or damaged"):
        read(files, metadata=REQUIRED).reason_to_skip()


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n", ELF[:70]])
def test_what_is_called_a_library_and_is_not_one_is_refused(
    read: Callable[..., WheelLibraries], content: bytes
) -> None:
    with pytest.raises(UnreadableBinaryError, match=r"demo/libdemo\.so is (empty|not )"):
        read({"demo/libdemo.so": content}).reason_to_skip()


# ---- One notion of an extension ----------------------------------------------------------------------------------

CALLS = "int TVMFFIFunctionCall(void *);\nint f(void *x) { return TVMFFIFunctionCall(x); }\n"
OFFERS = "int __tvm_ffi_f(void) { return 1; }\n"
NEITHER = "int f(void) { return 1; }\n"


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that compiles a library or an object."""

    def make(source: str, name: str, *flags: str) -> Path:
        (tmp_path / "a.c").write_text(source, encoding="utf-8")
        run("cc", "-fPIC", "-nostdlib", *(flags or ("-shared",)), "-o", tmp_path / name, tmp_path / "a.c")
        return tmp_path / name

    return make


@pytest.mark.parametrize(
    ("source", "metadata", "tag", "reason"),
    [
        (CALLS, [], "linux_x86_64", ""),
        (OFFERS, [], "linux_x86_64", ""),
        (NEITHER, REQUIRED, "linux_x86_64", ""),
        (NEITHER, [], "linux_x86_64", "does not use apache-tvm-ffi"),
        (NEITHER, ['Requires-Dist: apache-tvm-ffi; extra == "gpu"'], "linux_x86_64", "does not use apache-tvm-ffi"),
        (None, [], "linux_x86_64", "no library in it"),
        (None, REQUIRED, "any", "pure Python"),
    ],
)
def test_every_command_skips_the_same_wheels_in_the_same_words(
    make_wheel: Callable[..., Path],
    compiled: Callable[..., Path],
    tmp_path: Path,
    source: str | None,
    metadata: list[str],
    tag: str,
    reason: str,
) -> None:
    files = {"demo/__init__.py": b""}
    if source:
        files["demo/lib.bin"] = compiled(source, "lib.so").read_bytes()
    wheel = make_wheel(files, tag=f"py3-none-{tag}", metadata=metadata)
    line = f"skipped: {wheel.name}: {reason}"
    for command, options in (("audit", []), ("contract", []), ("repair", ["-w", str(tmp_path / "out"), "--no-audit"])):
        done = run_command(command, wheel, *options)
        assert (line in done.stderr.splitlines()) == bool(reason), (command, done)
        assert ("skipped" in done.stderr) == bool(reason), (command, done)


def test_a_wheel_that_lacks_its_library_is_skipped_by_all_but_the_audit(
    make_wheel: Callable[..., Path], tmp_path: Path
) -> None:
    wheel = make_wheel({"demo/__init__.py": b""}, metadata=REQUIRED)
    line = f"skipped: {wheel.name}: no library in it"
    assert line in run_command("contract", wheel).stderr.splitlines()
    assert line in run_command("repair", wheel, "-w", tmp_path / "out").stderr.splitlines()
    audited = run_command("audit", wheel)
    assert audited.returncode == 1
    assert "C417 error: the wheel requires apache-tvm-ffi and holds no library" in audited.stdout
    assert line in run_command("audit", wheel, "--ignore", "C417").stderr.splitlines()


@pytest.mark.parametrize(
    ("source", "name", "flags", "reason"),
    [
        (CALLS, "lib.so", [], ""),
        (OFFERS, "lib.so", [], ""),
        (NEITHER, "lib.so", [], "does not use apache-tvm-ffi"),
        (CALLS, "a.o", ["-c"], "an object file"),
        (None, "libtvm_ffi.so", [], "the runtime itself"),
    ],
)
def test_every_command_skips_the_same_files_in_the_same_words(
    compiled: Callable[..., Path], source: str | None, name: str, flags: list[str], reason: str
) -> None:
    path = compiled(source, name, *flags) if source else find_runtime().library
    for command in ("audit", "contract"):
        done = run_command(command, path)
        assert (f"skipped: {path.name}: {reason}" in done.stderr.splitlines()) == bool(reason), done
        assert bool(done.stdout) != bool(reason)


def test_a_pure_wheel_of_others_is_skipped_by_repair_though_its_record_is_wrong(
    make_wheel: Callable[..., Path], tmp_path: Path
) -> None:
    """Such as those that ``pip wheel`` puts beside one's own."""
    wrong = make_wheel({"demo/__init__.py": b""}, tag="py3-none-any", row=lambda name, _: f"{name},sha256=AAAA,1\n")
    done = run_command("repair", wrong, "-w", tmp_path / "out")
    assert f"skipped: {wrong.name}: pure Python" in done.stderr.splitlines()
