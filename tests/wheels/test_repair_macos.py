"""macOS wheels that need grafting, repaired on Linux: built by zig, read again by llvm, and not run.

The second library's install name, the extension's load commands and both signatures are what macOS looks at.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.grafting import (
    CHAINED,
    EXTENSION,
    HELPER,
    RECORD,
    SECOND,
    THIRD,
    Toolchain,
    names_in,
    refused,
    repair,
    repaired,
    unpack,
    write_wheel,
)
from support.processes import run

from tvm_ffi_build.binaries.signature import signature_problem
from tvm_ffi_build.programs import find_program, find_versioned
from tvm_ffi_build.repair.macos import stand_ins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

RUNTIME = "0.1.15.post2"
TAG = "py3-none-macosx_11_0_arm64"


@pytest.fixture(scope="session")
def llvm(installed: Callable[..., str]) -> Callable[[str], str]:
    """Return a function that gives the path of one of llvm's programs."""
    return lambda name: installed(lambda: find_program(name) or find_versioned(name), "llvm")


@pytest.fixture(scope="session", autouse=True)
def _llvm_is_there(llvm: Callable[[str], str]) -> None:
    llvm("llvm-otool")


@pytest.fixture(scope="session")
def toolchain(unpacked_runtime: Callable[..., Path], zig_cache: Path) -> Callable[[str], Toolchain]:
    """Return a function that gives a compiler for a target of macOS."""
    runtime = unpacked_runtime(RUNTIME, "aarch64-apple-darwin")
    return lambda target: Toolchain.zig(target, runtime, zig_cache)


@pytest.fixture(scope="session")
def link(toolchain: Callable[[str], Toolchain]) -> Callable[..., Path]:
    """Return a function that links a library of some name, for a target."""

    def make(
        library: Path, source: str, *libraries: Path, target: str = "aarch64-macos.11.0", name: str | None = None
    ) -> Path:
        compiler = toolchain(target)
        arguments: list[str | Path] = [*libraries, "-install_name", name or f"@rpath/{library.name}"]
        if source in {EXTENSION, SECOND}:
            # There is no runtime for x86_64 any more.
            arm = target.startswith("aarch64")
            arguments += [compiler.runtime / "lib/libtvm_ffi.dylib"] if arm else ["-undefined", "dynamic_lookup"]
            arguments.append("-Wl,-rpath,@loader_path/../tvm_ffi/lib")
        return compiler.link(library, source, *arguments)

    return make


@pytest.fixture(scope="session")
def built(once: Callable[[str, Callable[[Path], None]], Path], link: Callable[..., Path]) -> Path:
    """Return a folder with a wheel, and the folder "outside" with the library that its extension needs."""

    def fill(folder: Path) -> None:
        helper = link(folder / "outside/libhelper.dylib", HELPER)
        extension = link(folder / "libsample.dylib", EXTENSION, helper)
        write_wheel(folder, TAG, {"sample/__init__.py": "", "sample/libsample.dylib": extension})

    return once("macos-grafting", fill)


@pytest.fixture
def grafted(built: Path, tmp_path: Path) -> Path:
    """Return the repaired wheel, unpacked."""
    wheel = repaired(tmp_path / "out", built / f"sample-1.0-{TAG}.whl", "--lib-path", built / "outside")
    return unpack(wheel, tmp_path / "unpacked")


@pytest.fixture
def load_commands(llvm: Callable[[str], str]) -> Callable[[Path], tuple[str, list[str], list[str]]]:
    """Return a function that gives install name, needed libraries and run paths of a library, as llvm reads them."""

    def read(library: Path) -> tuple[str, list[str], list[str]]:
        said = run(llvm("llvm-otool"), "-l", library).stdout
        commands = re.findall(r"cmd (LC_ID_DYLIB|LC_LOAD_DYLIB|LC_RPATH)\n.*\n +(?:name|path) (\S+)", said)
        found = {kind: [name for other, name in commands if other == kind] for kind, _ in commands}
        return found["LC_ID_DYLIB"][0], found["LC_LOAD_DYLIB"], found.get("LC_RPATH", [])

    return read


def wrong_pages(library: Path) -> list[int]:
    """Return the pages of a thin library that are not as signed, read independently of what is under test."""
    data = library.read_bytes()
    command, signature = 32, None
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        kind, size = struct.unpack_from("<2I", data, command)
        signature = struct.unpack_from("<I", data, command + 8)[0] if kind == 0x1D else signature
        command += size
    assert signature is not None
    magic, _, _, slot, start = struct.unpack_from(">5I", data, signature)
    assert (magic, slot) == (0xFADE0CC0, 0)
    directory = signature + start
    hashes, _, _, pages, limit = struct.unpack_from(">5I", data, directory + 16)
    size, _, _, bits = data[directory + 36 : directory + 40]
    assert (size, limit) == (32, signature)
    wanted = [data[at : at + 32] for at in range(directory + hashes, directory + hashes + 32 * pages, 32)]
    found = [hashlib.sha256(data[at : min(at + (1 << bits), limit)]).digest() for at in range(0, limit, 1 << bits)]
    assert len(found) == pages
    return [number for number, (one, other) in enumerate(zip(found, wanted)) if one != other]


def test_the_library_is_in_the_wheel_and_nothing_of_the_runtime_is(built: Path, tmp_path: Path) -> None:
    done = repair(built / f"sample-1.0-{TAG}.whl", "-w", tmp_path / "out", "--lib-path", built / "outside", "--json")
    assert '"grafted": [\n        "@rpath/libhelper.dylib"\n      ]' in done.stdout
    (wheel,) = (tmp_path / "out").iterdir()
    assert wheel.name == f"sample-1.0-{TAG}.whl"
    assert names_in(wheel) == [
        "sample-1.0.dist-info/METADATA",
        "sample-1.0.dist-info/RECORD",
        "sample-1.0.dist-info/WHEEL",
        "sample-1.0.dist-info/tvm_ffi_build.json",
        "sample/.dylibs/libhelper.dylib",
        "sample/__init__.py",
        "sample/libsample.dylib",
    ]


def test_the_extension_asks_for_the_library_beside_it_and_for_the_runtime_as_before(
    grafted: Path, load_commands: Callable[[Path], tuple[str, list[str], list[str]]]
) -> None:
    name, needed, run_paths = load_commands(grafted / "sample/libsample.dylib")
    assert name == "@rpath/libsample.dylib"
    assert sorted(needed) == [
        "/usr/lib/libSystem.B.dylib",
        "@loader_path/.dylibs/libhelper.dylib",
        "@rpath/libtvm_ffi.dylib",
    ]
    assert run_paths == ["@loader_path/../tvm_ffi/lib"]


@pytest.mark.parametrize("library", ["sample/libsample.dylib", "sample/.dylibs/libhelper.dylib"])
def test_what_was_changed_is_signed_again(grafted: Path, library: str) -> None:
    assert wrong_pages(grafted / library) == []
    assert signature_problem(grafted / library) is None


def test_other_files_of_the_metadata_survive(grafted: Path) -> None:
    assert (grafted / "sample-1.0.dist-info/tvm_ffi_build.json").read_text() == RECORD


def test_the_same_wheel_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    wheels = [
        repaired(tmp_path / name, built / f"sample-1.0-{TAG}.whl", "--lib-path", built / "outside")
        for name in ("first", "second")
    ]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_a_library_that_cannot_be_found_is_refused(built: Path, tmp_path: Path) -> None:
    message = refused(repair(built / f"sample-1.0-{TAG}.whl", "-w", tmp_path / "out"))
    assert message == (
        f"sample-1.0-{TAG}.whl needs @rpath/libhelper.dylib, which cannot be found; "
        "name the folder with --lib-path, leave it out with --exclude, or install it into the wheel"
    )
    assert not any(tmp_path.glob("out/*"))


def test_without_llvm_one_line_says_what_to_install(built: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = repair(
        built / f"sample-1.0-{TAG}.whl",
        "-w",
        tmp_path / "out",
        "--lib-path",
        built / "outside",
        env={**os.environ, "PATH": str(tmp_path / "bin")},
    )
    assert re.fullmatch(r"llvm-\w+ is not installed, .*; run: apt-get install llvm", refused(done))


def test_debians_names_of_llvms_programs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (9, 14, 13):
        (tmp_path / f"llvm-lipo-{version}").touch(mode=0o755)
    (tmp_path / "llvm-lipo-15").touch(mode=0o644)
    (tmp_path / "llvm-lipo-new").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_versioned("llvm-lipo") == str(tmp_path / "llvm-lipo-14")


def test_an_excluded_library_stays_out(built: Path, tmp_path: Path) -> None:
    wheel = repaired(tmp_path, built / f"sample-1.0-{TAG}.whl", "--exclude", "libhelper*")
    assert "sample/.dylibs/libhelper.dylib" not in names_in(wheel)


def test_folders_that_the_environment_names_are_looked_in_too(built: Path, tmp_path: Path) -> None:
    env = {**os.environ, "DYLD_LIBRARY_PATH": str(built / "outside")}
    wheel = repaired(tmp_path / "out", built / f"sample-1.0-{TAG}.whl", "--lib-path", tmp_path, env=env)
    assert "sample/.dylibs/libhelper.dylib" in names_in(wheel)


def test_a_library_that_asks_for_a_newer_macos_raises_the_tag(tmp_path: Path, link: Callable[..., Path]) -> None:
    """To the next major version, as pip knows no minor ones from macOS 11 on."""
    helper = link(tmp_path / "outside/libhelper.dylib", HELPER, target="aarch64-macos.13.3")
    extension = link(tmp_path / "libsample.dylib", EXTENSION, helper)
    wheel = write_wheel(tmp_path, TAG, {"sample/__init__.py": "", "sample/libsample.dylib": extension})
    result = repaired(tmp_path / "out", wheel, "--lib-path", tmp_path / "outside")
    assert result.name == "sample-1.0-py3-none-macosx_14_0_arm64.whl"


def universal(tmp_path: Path, link: Callable[..., Path], llvm: Callable[[str], str], *names: str) -> dict[str, Path]:
    """Link the second library and the extension, those that are named for both architectures."""
    made: dict[str, Path] = {}
    for name, source in (("outside/libhelper.dylib", HELPER), ("libsample.dylib", EXTENSION)):
        thin = []
        for target in ("aarch64-macos.11.0", "x86_64-macos.11.0"):
            folder = tmp_path / target
            libraries = [folder / "outside/libhelper.dylib"] if source == EXTENSION else []
            thin.append(link(folder / name, source, *libraries, target=target))
        made[name] = tmp_path / name
        made[name].parent.mkdir(exist_ok=True)
        if name in names:
            run(llvm("llvm-lipo"), "-create", *thin, "-output", made[name])
        else:
            shutil.copy(thin[0], made[name])
    return made


def test_universal_libraries_give_a_universal_wheel(
    tmp_path: Path, link: Callable[..., Path], llvm: Callable[[str], str]
) -> None:
    made = universal(tmp_path, link, llvm, "outside/libhelper.dylib", "libsample.dylib")
    files: dict[str, Any] = {"sample/__init__.py": "", "sample/libsample.dylib": made["libsample.dylib"]}
    wheel = write_wheel(tmp_path, "py3-none-macosx_11_0_universal2", files)
    result = repaired(tmp_path / "out", wheel, "--lib-path", tmp_path / "outside")
    assert result.name == "sample-1.0-py3-none-macosx_11_0_universal2.whl"
    grafted = unpack(result, tmp_path / "unpacked")
    for library in ("sample/libsample.dylib", "sample/.dylibs/libhelper.dylib"):
        assert signature_problem(grafted / library) is None
        # The other half has no signature, as linkers leave it.
        thin = tmp_path / "arm64.dylib"
        run(llvm("llvm-lipo"), grafted / library, "-thin", "arm64", "-output", thin)
        assert wrong_pages(thin) == []


def test_a_wheel_is_for_the_architecture_that_all_libraries_have(
    tmp_path: Path, link: Callable[..., Path], llvm: Callable[[str], str]
) -> None:
    made = universal(tmp_path, link, llvm, "outside/libhelper.dylib")
    files: dict[str, Any] = {"sample/__init__.py": "", "sample/libsample.dylib": made["libsample.dylib"]}
    wheel = write_wheel(tmp_path, "py3-none-macosx_11_0_universal2", files)
    result = repaired(tmp_path / "out", wheel, "--lib-path", tmp_path / "outside")
    assert result.name == f"sample-1.0-{TAG}.whl"


def test_a_page_that_is_not_as_signed_is_noticed(built: Path, tmp_path: Path) -> None:
    """Also where nothing is to be grafted."""
    extension = tmp_path / "libsample.dylib"
    data = bytearray((built / "libsample.dylib").read_bytes())
    data[0x8000] ^= 1
    extension.write_bytes(data)
    wheel = write_wheel(tmp_path, TAG, {"sample/__init__.py": "", "sample/libsample.dylib": extension})
    message = refused(repair(wheel, "-w", tmp_path / "out", "--exclude", "libhelper.dylib"))
    assert re.search(r"sample/libsample\.dylib, of which .*: arm64: page 2 is not what was signed; sign it", message)


@pytest.mark.parametrize("moved", [False, True])
def test_a_library_that_is_asked_for_by_an_absolute_path(
    tmp_path: Path,
    link: Callable[..., Path],
    load_commands: Callable[[Path], tuple[str, list[str], list[str]]],
    *,
    moved: bool,
) -> None:
    path = tmp_path / "prefix/libhelper.dylib"
    helper = link(path, HELPER, name=str(path))
    extension = link(tmp_path / "libsample.dylib", EXTENSION, helper)
    if moved:
        shutil.move(tmp_path / "prefix", tmp_path / "elsewhere")
    wheel = write_wheel(tmp_path, TAG, {"sample/__init__.py": "", "sample/libsample.dylib": extension})
    result = repaired(tmp_path / "out", wheel, "--lib-path", tmp_path / "elsewhere")
    grafted = unpack(result, tmp_path / "unpacked")
    assert "@loader_path/.dylibs/libhelper.dylib" in load_commands(grafted / "sample/libsample.dylib")[1]


def test_a_copy_in_the_wheel_is_none_of_a_library_that_is_asked_for_by_an_absolute_path(
    tmp_path: Path, link: Callable[..., Path]
) -> None:
    path = tmp_path / "prefix/libhelper.dylib"
    helper = link(path, HELPER, name=str(path))
    extension = link(tmp_path / "libsample.dylib", EXTENSION, helper)
    files = {"sample/libsample.dylib": extension, "sample/libhelper.dylib": helper}
    wheel = write_wheel(tmp_path, TAG, files)
    shutil.move(tmp_path / "prefix", tmp_path / "elsewhere")
    assert f"needs {path}, which cannot be found" in refused(repair(wheel, "-w", tmp_path / "out"))


def test_what_should_be_beside_the_library_is_looked_for_there(tmp_path: Path, link: Callable[..., Path]) -> None:
    helper = link(tmp_path / "outside/libhelper.dylib", HELPER, name="@loader_path/libhelper.dylib")
    extension = link(tmp_path / "libsample.dylib", EXTENSION, helper)
    for folder, status in (("sample", 0), ("sample/other", 14)):
        files = {"sample/libsample.dylib": extension, f"{folder}/libhelper.dylib": helper}
        done = repair(write_wheel(tmp_path, TAG, files), "-w", tmp_path / "out")
        assert done.returncode == status, done.stderr


def test_a_library_that_will_be_installed_elsewhere_is_not_where_delocate_believes(built: Path, tmp_path: Path) -> None:
    """It takes places in the archive for those after the installation."""
    files = {"sample-1.0.data/platlib/sample/libsample.dylib": built / "libsample.dylib"}
    done = repair(write_wheel(tmp_path, TAG, files), "-w", tmp_path / "out", "--lib-path", built / "outside")
    assert "needs @loader_path/../../../sample.dylibs/libhelper.dylib, which cannot be found" in refused(done)


def test_libraries_in_nested_packages_share_one_copy(
    built: Path, tmp_path: Path, load_commands: Callable[[Path], tuple[str, list[str], list[str]]]
) -> None:
    extension = built / "libsample.dylib"
    packages = ("sample", "sample/a", "sample/a/b")
    files: dict[str, Any] = {f"{package}/__init__.py": "" for package in packages}
    files |= {f"{package}/libsample.dylib": extension for package in (packages[0], packages[2])}
    wheel = write_wheel(tmp_path, TAG, files)
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    assert sum(name.endswith("libhelper.dylib") for name in names_in(result)) == 1
    grafted = unpack(result, tmp_path / "unpacked")
    assert "@loader_path/../../.dylibs/libhelper.dylib" in load_commands(grafted / "sample/a/b/libsample.dylib")[1]


def test_an_extension_that_needs_another_one_of_the_wheel_still_does(
    built: Path,
    tmp_path: Path,
    link: Callable[..., Path],
    load_commands: Callable[[Path], tuple[str, list[str], list[str]]],
) -> None:
    first = built / "libsample.dylib"
    second = link(tmp_path / "libsecond.dylib", SECOND, first)
    wheel = write_wheel(tmp_path, TAG, {"sample/libsample.dylib": first, "sample/libsecond.dylib": second})
    result = repaired(tmp_path / "out", wheel, "--lib-path", built / "outside")
    assert sum(name.endswith("libsample.dylib") for name in names_in(result)) == 1


def chain(folder: Path, link: Callable[..., Path]) -> Path:
    """Make a wheel whose extension needs a library that needs another one, both in the folder "outside"."""
    third = link(folder / "outside/libthird.dylib", THIRD)
    extension = link(folder / "libsample.dylib", EXTENSION, link(folder / "outside/libhelper.dylib", CHAINED, third))
    return write_wheel(folder, TAG, {"sample/__init__.py": "", "sample/libsample.dylib": extension})


def test_what_a_copied_library_needs_is_copied_too(link: Callable[..., Path], tmp_path: Path) -> None:
    result = repaired(tmp_path / "out", chain(tmp_path, link), "--lib-path", tmp_path / "outside")
    assert sum("helper" in name or "third" in name for name in names_in(result)) == 2


def test_what_a_copied_library_needs_and_nobody_has_is_refused(link: Callable[..., Path], tmp_path: Path) -> None:
    wheel = chain(tmp_path, link)
    (tmp_path / "outside/libthird.dylib").unlink()
    assert " needs @rpath/libthird.dylib, which cannot be found" in refused(
        repair(wheel, "-w", tmp_path / "out", "--lib-path", tmp_path / "outside")
    )


def test_the_specs_line_stops_at_the_runtimes_library(built: Path, tmp_path: Path) -> None:
    """Though that is excluded, it has to be found."""
    (tmp_path / "dist").mkdir()
    shutil.copy(built / f"sample-1.0-{TAG}.whl", tmp_path / "dist")
    line = ["-m", "delocate.cmd.delocate_wheel", "-w", "dist", "-v", "--exclude", "libtvm_ffi.dylib"]
    env = {**os.environ, "DYLD_LIBRARY_PATH": str(built / "outside"), "PATH": stand_ins(tmp_path / "programs")}
    done = run(sys.executable, *line, f"dist/sample-1.0-{TAG}.whl", ok=False, cwd=tmp_path, env=env)
    assert "@rpath/libtvm_ffi.dylib not found" in done.stderr
    assert "DelocationError: Could not find all dependencies." in done.stderr
