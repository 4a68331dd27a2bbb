"""macOS wheels that need grafting, repaired on Linux: built by zig, read again by llvm, and not run.

The second library's install name, the extension's load commands and both signatures are what macOS looks at.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import struct
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.grafting import (
    EXTENSION,
    HELPER,
    names_in,
    refused,
    repair,
    repaired,
    unpack,
    write_wheel,
)
from support.processes import run

from tvm_ffi_build.binaries.signature import signature_problem
from tvm_ffi_build.host.programs import find_versioned
from tvm_ffi_build.repair.apple_tools.stand_ins import stand_ins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.grafting import (
        Platform,
        Sample,
    )

pytestmark = pytest.mark.slow

TAG = "py3-none-macosx_11_0_arm64"


@pytest.fixture
def sample(macos: Platform, built_for: Callable[[Platform], Sample]) -> Sample:
    return built_for(macos)


@pytest.fixture
def grafted(sample: Sample, tmp_path: Path) -> Path:
    """Return the repaired wheel, unpacked."""
    return unpack(sample.repaired(tmp_path / "out"), tmp_path / "unpacked")


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


def test_the_library_is_in_the_wheel_and_nothing_of_the_runtime_is(sample: Sample, tmp_path: Path) -> None:
    done = sample.repair(tmp_path / "out", "--json")
    assert json.loads(done.stdout)["wheels"][0]["grafted"] == ["sample/.dylibs/libhelper.dylib"]
    (wheel,) = (tmp_path / "out").iterdir()
    assert wheel.name == f"sample-1.0-{TAG}.whl"
    assert names_in(wheel) == [
        "sample-1.0.dist-info/METADATA",
        "sample-1.0.dist-info/RECORD",
        "sample-1.0.dist-info/WHEEL",
        "sample-1.0.dist-info/tvm_ffi_build.json",
        "sample/.dylibs/libhelper.dylib",
        "sample/__init__.py",
        "sample/_library.py",
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


def test_without_llvm_one_line_says_what_to_install(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = sample.repair(tmp_path / "out", env={**os.environ, "PATH": str(tmp_path / "bin")})
    assert re.fullmatch(r"llvm-\w+ is not installed, .*; run: apt-get install llvm", refused(done))


def test_debians_names_of_llvms_programs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (9, 14, 13):
        (tmp_path / f"llvm-lipo-{version}").touch(mode=0o755)
    (tmp_path / "llvm-lipo-15").touch(mode=0o644)
    (tmp_path / "llvm-lipo-new").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_versioned("llvm-lipo") == str(tmp_path / "llvm-lipo-14")


def test_directories_in_dyld_library_path_are_searched_too(sample: Sample, tmp_path: Path) -> None:
    env = {**os.environ, "DYLD_LIBRARY_PATH": str(sample.outside)}
    wheel = repaired(tmp_path / "out", sample.wheel, "--lib-path", tmp_path, env=env)
    assert "sample/.dylibs/libhelper.dylib" in names_in(wheel)


def test_a_library_that_needs_a_newer_macos_raises_the_tag(macos: Platform, tmp_path: Path) -> None:
    """To the next major version, since pip knows no minor versions from macOS 11 on."""
    sample = macos.sample(tmp_path, macos.link_helper(tmp_path, target="aarch64-macos.13.3"))
    result = sample.repaired(tmp_path / "out")
    assert result.name == "sample-1.0-py3-none-macosx_14_0_arm64.whl"


def universal(directory: Path, macos: Platform, llvm: Callable[[str], str], *names: str) -> Sample:
    """Return a sample with a wheel for both architectures, of which only the named libraries have both."""
    thin = []
    for target in ("aarch64-macos.11.0", "x86_64-macos.11.0"):
        helper = macos.link_helper(directory / target, target=target)
        extension = macos.link(directory / target / "libsample.dylib", EXTENSION, helper, target=target)
        thin.append({"outside/libhelper.dylib": helper, "libsample.dylib": extension})
    for name in thin[0]:
        (directory / name).parent.mkdir(exist_ok=True)
        if name in names:
            run(llvm("llvm-lipo"), "-create", *(libraries[name] for libraries in thin), "-output", directory / name)
        else:
            shutil.copy(thin[0][name], directory / name)
    files = {"sample/__init__.py": "", "sample/libsample.dylib": directory / "libsample.dylib"}
    return macos.sample_in(directory).in_wheel(directory, "py3-none-macosx_11_0_universal2", files)


def test_universal_libraries_give_a_universal_wheel(
    tmp_path: Path, macos: Platform, llvm: Callable[[str], str]
) -> None:
    sample = universal(tmp_path, macos, llvm, "outside/libhelper.dylib", "libsample.dylib")
    result = sample.repaired(tmp_path / "out")
    assert result.name == "sample-1.0-py3-none-macosx_11_0_universal2.whl"
    grafted = unpack(result, tmp_path / "unpacked")
    for library in ("sample/libsample.dylib", "sample/.dylibs/libhelper.dylib"):
        assert signature_problem(grafted / library) is None
        # The other half has no signature, as linkers leave it.
        thin = tmp_path / "arm64.dylib"
        run(llvm("llvm-lipo"), grafted / library, "-thin", "arm64", "-output", thin)
        assert wrong_pages(thin) == []


def test_a_wheel_is_for_the_architecture_that_all_libraries_have(
    tmp_path: Path, macos: Platform, llvm: Callable[[str], str]
) -> None:
    result = universal(tmp_path, macos, llvm, "outside/libhelper.dylib").repaired(tmp_path / "out")
    assert result.name == f"sample-1.0-{TAG}.whl"


def test_a_page_that_was_modified_after_signing_is_reported(sample: Sample, tmp_path: Path) -> None:
    """Also where there is nothing to bundle."""
    extension = tmp_path / "libsample.dylib"
    data = bytearray(sample.extension.read_bytes())
    data[0x8000] ^= 1
    extension.write_bytes(data)
    wheel = write_wheel(tmp_path, TAG, {"sample/__init__.py": "", "sample/libsample.dylib": extension})
    message = refused(repair(wheel, "-w", tmp_path / "out", "--exclude", "libhelper.dylib"))
    assert re.search(
        r"sample/libsample\.dylib, so macOS kills .*: arm64: page 2 is not what was signed; sign it", message
    )


@pytest.mark.parametrize("moved", [False, True])
def test_a_library_that_is_needed_by_an_absolute_path(
    tmp_path: Path,
    macos: Platform,
    load_commands: Callable[[Path], tuple[str, list[str], list[str]]],
    *,
    moved: bool,
) -> None:
    path = tmp_path / "prefix/libhelper.dylib"
    sample = macos.sample(tmp_path, macos.link(path, HELPER, name=str(path)))
    if moved:
        shutil.move(tmp_path / "prefix", tmp_path / "elsewhere")
    result = repaired(tmp_path / "out", sample.wheel, "--lib-path", tmp_path / "elsewhere")
    grafted = unpack(result, tmp_path / "unpacked")
    assert "@loader_path/.dylibs/libhelper.dylib" in load_commands(grafted / "sample/libsample.dylib")[1]


def test_a_library_of_the_wheel_does_not_replace_one_that_is_needed_by_an_absolute_path(
    tmp_path: Path, macos: Platform
) -> None:
    path = tmp_path / "prefix/libhelper.dylib"
    helper = macos.link(path, HELPER, name=str(path))
    extension = macos.sample(tmp_path, helper).extension
    files = {"sample/libsample.dylib": extension, "sample/libhelper.dylib": helper}
    wheel = write_wheel(tmp_path, TAG, files)
    shutil.move(tmp_path / "prefix", tmp_path / "elsewhere")
    assert f"needs {path}, which cannot be found" in refused(repair(wheel, "-w", tmp_path / "out"))


def test_a_library_that_is_needed_from_the_same_directory_is_searched_only_there(
    tmp_path: Path, macos: Platform
) -> None:
    helper = macos.link_helper(tmp_path, name="@loader_path/libhelper.dylib")
    extension = macos.sample(tmp_path, helper).extension
    for directory, status in (("sample", 0), ("sample/other", 5)):
        files = {"sample/libsample.dylib": extension, f"{directory}/libhelper.dylib": helper}
        done = repair(write_wheel(tmp_path, TAG, files), "-w", tmp_path / "out")
        assert done.returncode == status, done.stderr


def test_a_library_that_is_installed_elsewhere_is_not_where_delocate_expects_it(sample: Sample, tmp_path: Path) -> None:
    """Delocate takes the places in the archive for those after the installation."""
    files = {"sample-1.0.data/platlib/sample/libsample.dylib": sample.extension}
    done = sample.in_wheel(tmp_path, TAG, files).repair(tmp_path / "out")
    assert "needs @loader_path/../../../sample.dylibs/libhelper.dylib, which cannot be found" in refused(done)


def test_libraries_in_nested_packages_share_one_copy(
    sample: Sample, tmp_path: Path, load_commands: Callable[[Path], tuple[str, list[str], list[str]]]
) -> None:
    packages = ("sample", "sample/a", "sample/a/b")
    files: dict[str, Any] = {f"{package}/__init__.py": "" for package in packages}
    files |= {f"{package}/libsample.dylib": sample.extension for package in (packages[0], packages[2])}
    result = sample.in_wheel(tmp_path, TAG, files).repaired(tmp_path / "out")
    assert sum(name.endswith("libhelper.dylib") for name in names_in(result)) == 1
    grafted = unpack(result, tmp_path / "unpacked")
    assert "@loader_path/../../.dylibs/libhelper.dylib" in load_commands(grafted / "sample/a/b/libsample.dylib")[1]


def test_the_specs_line_stops_at_the_runtimes_library(sample: Sample, tmp_path: Path) -> None:
    """Though that is excluded, it has to be found."""
    (tmp_path / "dist").mkdir()
    shutil.copy(sample.wheel, tmp_path / "dist")
    line = ["-m", "delocate.cmd.delocate_wheel", "-w", "dist", "-v", "--exclude", "libtvm_ffi.dylib"]
    env = {**os.environ, "DYLD_LIBRARY_PATH": str(sample.outside), "PATH": stand_ins(tmp_path / "programs")}
    done = run(sys.executable, *line, f"dist/sample-1.0-{TAG}.whl", ok=False, cwd=tmp_path, env=env)
    assert "@rpath/libtvm_ffi.dylib not found" in done.stderr
    assert "DelocationError: Could not find all dependencies." in done.stderr
