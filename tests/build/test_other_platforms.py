"""What CMake would run on macOS and Windows: the build system is written for real, and read, but not run.

A toolchain file says which platform and compiler to write for; the runtime is that platform's own wheel.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import command_line, run

from tvm_ffi_build.config import cmake_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOOLCHAIN = """
set(CMAKE_SYSTEM_NAME {system})
set(CMAKE_SYSTEM_PROCESSOR {processor})
set(CMAKE_CXX_COMPILER c++)
set(CMAKE_CXX_COMPILER_FORCED ON)
set(CMAKE_CXX_COMPILER_ID {compiler})
set(CMAKE_CXX_COMPILER_VERSION 15.0)
set(CMAKE_CXX_STANDARD_COMPUTED_DEFAULT 17)
set(CMAKE_CXX_COMPILE_FEATURES cxx_std_17)
set(CMAKE_INSTALL_NAME_TOOL true)
set(CMAKE_HAVE_LIBC_PTHREAD TRUE)
set(DSYMUTIL "/opt/llvm/dsymutil" CACHE FILEPATH "")
"""

PROJECT = """
cmake_minimum_required(VERSION 3.18)
project(sample LANGUAGES CXX)
find_package(tvm_ffi CONFIG REQUIRED)
add_library(archive STATIC lib.cc)
add_library(sample SHARED lib.cc)
target_link_libraries(sample PRIVATE archive)
tvm_ffi_configure_target(sample EXPORT more_* twice)
install(TARGETS sample DESTINATION sample)
tvm_ffi_install(sample DESTINATION sample)
"""

# Of which one library is in a directory that is added before the package is found, and one is not configured.
SCATTERED = """
cmake_minimum_required(VERSION 3.18...4.0)
project(scattered LANGUAGES CXX)
add_subdirectory(core)
find_package(tvm_ffi CONFIG REQUIRED)
add_library(sample SHARED lib.cc)
add_library(plain SHARED lib.cc)
set_target_properties(plain PROPERTIES INSTALL_RPATH "@loader_path")
tvm_ffi_configure_target(sample)
tvm_ffi_configure_target(core)
set_property(TARGET core APPEND PROPERTY INSTALL_RPATH "@loader_path/sub")
install(TARGETS core plain sample DESTINATION sample)
tvm_ffi_install(core DESTINATION sample)
tvm_ffi_install(sample DESTINATION sample)
"""


@pytest.fixture
def written_for(tmp_path: Path, unpacked_runtime: Callable[..., Path]) -> Callable[..., tuple[str, str, Path]]:
    """Return a function that gives the link rules, the install script and the runtime's folder."""

    def write(
        platform: str, kind: str = "prebuilt", project: str = PROJECT, cmake: str = "cmake", **toolchain: str
    ) -> tuple[str, str, Path]:
        runtime = unpacked_runtime("0.1.15.post2", platform)
        (tmp_path / "lib.cc").write_text("", encoding="utf-8")
        (tmp_path / "CMakeLists.txt").write_text(project, encoding="utf-8")
        (tmp_path / "core").mkdir()
        (tmp_path / "core/CMakeLists.txt").write_text("add_library(core SHARED ../lib.cc)", encoding="utf-8")
        (tmp_path / "toolchain.cmake").write_text(TOOLCHAIN.format(**toolchain), encoding="utf-8")
        run(
            *command_line(
                "{cmake} -G Ninja -S {tmp_path} -B {build} "
                "-DCMAKE_TOOLCHAIN_FILE={tmp_path}/toolchain.cmake -Dtvm_ffi_DIR={cmake_dir} "
                "-DTVM_FFI_PYTHON={python} -DTVM_FFI_RUNTIME={runtime} -DTVM_FFI_LINK={kind}",
                cmake=cmake,
                tmp_path=tmp_path,
                build=tmp_path / "build",
                cmake_dir=cmake_dir(),
                python=sys.executable,
                runtime=runtime,
                kind=kind,
            )
        )
        rules = (tmp_path / "build/build.ninja").read_text(encoding="utf-8")
        return link_of("sample", rules), (tmp_path / "build/cmake_install.cmake").read_text(encoding="utf-8"), runtime

    return write


def link_of(target: str, rules: str) -> str:
    return re.split(rf"# Link the shared library (?:core/)?(?:lib)?{target}\.", rules)[1].partition("\n\n\n")[0]


@pytest.mark.parametrize("kind", ["prebuilt", "source"])
def test_macos(written_for: Callable[..., tuple[str, str, Path]], kind: str) -> None:
    link, install, runtime = written_for(
        "aarch64-apple-darwin", kind, system="Darwin", processor="arm64", compiler="AppleClang"
    )
    assert re.search(r"^build libsample\.dylib: ", link, re.MULTILINE)
    library = f"{runtime}/tvm_ffi/lib" if kind == "prebuilt" else "_tvm_ffi_runtime"
    assert f"{library}/libtvm_ffi.dylib" in link
    assert "-Wl,-exported_symbol,___tvm_ffi_*" in link
    assert "-Wl,-exported_symbol,_more_*" in link
    assert "-Wl,-exported_symbol,_twice" in link
    assert re.search(r"tvm_ffi_build\.cmake_steps\.check_exports \S*libsample\.dylib twice", link)
    assert "-Wl,-load_hidden,libarchive.a" in link
    assert "--version-script" not in link
    assert "--exclude-libs" not in link
    assert re.search(r"POST_BUILD = .*/opt/llvm/dsymutil .*/libsample\.dylib", link)
    assert '-add_rpath "@loader_path/../tvm_ffi/lib"' in install
    assert re.search(r'DESTINATION "\$\{CMAKE_INSTALL_PREFIX\}/sample" .*libsample\.dylib\.dSYM"', install)


@pytest.mark.parametrize("version", ["3.18.4.post1", "3.25.2", None])
def test_run_paths_of_macos_do_not_depend_on_the_version_of_cmake(
    written_for: Callable[..., tuple[str, str, Path]],
    old_cmake: Callable[[str], str],
    tmp_path: Path,
    version: str | None,
) -> None:
    """Before 4.0, CMake takes every macOS that it cross-compiles for to be one without rpaths."""
    written_for(
        "aarch64-apple-darwin",
        project=f"set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)\nset(CMAKE_BUILD_WITH_INSTALL_NAME_DIR ON)\n{SCATTERED}",
        cmake="cmake" if version is None else old_cmake(version),
        system="Darwin",
        processor="arm64",
        compiler="AppleClang",
    )
    rules = (tmp_path / "build/build.ninja").read_text(encoding="utf-8")
    expected = {
        "core": ["@loader_path/../tvm_ffi/lib", "@loader_path/sub"],
        "plain": ["@loader_path"],
        "sample": ["@loader_path/../tvm_ffi/lib"],
    }
    for target, run_paths in expected.items():
        link = link_of(target, rules)
        assert sorted(re.findall(r"-Wl,-rpath,(\S+)", link)) == run_paths, target
        assert "INSTALLNAME_DIR = @rpath/" in link, target


def test_windows_with_mingw(written_for: Callable[..., tuple[str, str, Path]]) -> None:
    link, install, runtime = written_for("x86_64-pc-windows-msvc", system="Windows", processor="AMD64", compiler="GNU")
    # Without the prefix "lib", where load_lib_module looks.
    assert re.search(r"^build sample\.dll ", link, re.MULTILINE)
    assert f"{runtime}/tvm_ffi/lib/tvm_ffi.lib" in link
    assert re.search(r"^  LINK_FLAGS = .*sample-exports\.def", link, re.MULTILINE)
    assert "rpath" not in link + install.lower()
    assert "--version-script" not in link
