"""What EXPORT of tvm_ffi_configure_target exports, and what VERSION of a target means in a wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.processes import build_configured, run

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.config import cmake_dir

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Configure = Callable[..., subprocess.CompletedProcess[str]]

# No function of it is marked as visible.
SOURCE = """extern "C" int twice(int x) { return 2 * x; }
int thrice(int x) { return 3 * x; }
"""
WRITE = f"file(WRITE ${{CMAKE_CURRENT_SOURCE_DIR}}/more.cc [[{SOURCE}]])"
MORE = "add_library(lib SHARED lib.cc more.cc)"
THRICE = "_Z6thricei"


def exported(tmp_path: Path, name: str = "lib") -> set[str]:
    return set(read_binary(tmp_path / f"build/lib{name}.so").exported)


@pytest.mark.parametrize(
    "lines",
    [
        [MORE],
        ["set(CMAKE_CXX_VISIBILITY_PRESET hidden)", "set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)", MORE],
        ["add_library(lib MODULE lib.cc more.cc)"],
    ],
)
def test_a_function_that_is_named_is_exported(configure: Configure, tmp_path: Path, lines: list[str]) -> None:
    configure(WRITE, *lines, f"tvm_ffi_configure_target(lib EXPORT twice {THRICE})")
    build_configured(tmp_path)
    assert exported(tmp_path) == {"__tvm_ffi_one", "twice", THRICE}


def test_a_function_that_a_glob_is_for_is_exported(configure: Configure, tmp_path: Path) -> None:
    configure(WRITE, MORE, "tvm_ffi_configure_target(lib EXPORT tw* other_*)")
    build_configured(tmp_path)
    assert exported(tmp_path) == {"__tvm_ffi_one", "twice"}


def test_nothing_more_is_visible_if_all_that_is_visible_is_exported(configure: Configure, tmp_path: Path) -> None:
    configure(WRITE, MORE, 'tvm_ffi_configure_target(lib EXPORT "*")')
    build_configured(tmp_path)
    assert {"twice", THRICE}.isdisjoint(exported(tmp_path))


OBJECTS = """add_library(more OBJECT more.cc)
tvm_ffi_configure_target(more)
add_library(lib SHARED lib.cc $<TARGET_OBJECTS:more>)"""


@pytest.mark.parametrize(
    "lines",
    [
        [MORE, "tvm_ffi_configure_target(lib EXPORT twice twise)"],
        [OBJECTS, "tvm_ffi_configure_target(lib EXPORT twice twise)"],
        [MORE, "tvm_ffi_configure_target(lib EXPORT twise)", "target_compile_options(lib PRIVATE -fvisibility=hidden)"],
    ],
)
def test_the_link_fails_if_a_name_cannot_be_exported(configure: Configure, tmp_path: Path, lines: list[str]) -> None:
    configure(WRITE, *lines)
    for _ in range(2):  # what failed once is not taken for built
        done = run("cmake", "--build", tmp_path / "build", ok=False)
        assert done.returncode != 0
        error = "".join(line for line in done.stdout.splitlines() if line.startswith("tvm-ffi-build: error: "))
        hint = "".join(line for line in done.stdout.splitlines() if line.startswith("hint: "))
        assert "twise, which EXPORT of tvm_ffi_configure_target names" in error
        assert 'mark its definition as __attribute__((visibility("default")))' in hint


def test_a_target_of_another_folder_is_checked_when_it_is_installed(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/sub").mkdir(parents=True)
    (tmp_path / "source/sub/CMakeLists.txt").write_text(
        "add_library(lib SHARED ../lib.cc ../more.cc)\ninstall(TARGETS lib DESTINATION sample)\n", encoding="utf-8"
    )
    for names, ok in (("twice", True), ("twice twise", False)):
        configure(WRITE, "add_subdirectory(sub)", f"tvm_ffi_configure_target(lib EXPORT {names})")
        build_configured(tmp_path)
        done = run("cmake", "--install", tmp_path / "build", "--prefix", tmp_path / "prefix", ok=False)
        assert (done.returncode == 0) == ok
        assert ("does not export twise" in " ".join(done.stderr.split())) == (not ok)


VERSIONED = (
    MORE,
    "set_target_properties(lib PROPERTIES VERSION 1.2.3 SOVERSION 1)",
    "tvm_ffi_configure_target(lib)",
    "install(TARGETS lib DESTINATION sample)",
    "tvm_ffi_install(lib DESTINATION sample)",
)


def installed(tmp_path: Path, cmake: str = "cmake") -> list[str]:
    run(cmake, "--build", tmp_path / "build")
    run(cmake, "--install", tmp_path / "build", "--prefix", tmp_path / "prefix")
    return sorted(path.name for path in (tmp_path / "prefix/sample").iterdir())


@pytest.mark.parametrize("state", ["wheel", "editable"])
def test_a_wheel_gets_one_file_of_a_library_with_versions(configure: Configure, tmp_path: Path, state: str) -> None:
    done = configure(WRITE, *VERSIONED, define={"SKBUILD_STATE": state})
    warning = " ".join(done.stderr.split())
    assert "VERSION and SOVERSION of lib are ignored in a wheel" in warning
    assert "if(NOT SKBUILD) set_target_properties(lib PROPERTIES ...) endif()" in warning
    assert installed(tmp_path) == ["liblib.so"]
    assert read_binary(tmp_path / "prefix/sample/liblib.so").images[0].name == "liblib.so"


def test_the_oldest_cmake_leaves_versions_out_as_well(
    configure: Configure, tmp_path: Path, old_cmake: Callable[[str], str]
) -> None:
    cmake = old_cmake("3.18.4.post1")
    configure(WRITE, *VERSIONED, define={"SKBUILD_STATE": "wheel"}, cmake=cmake)
    assert installed(tmp_path, cmake) == ["liblib.so"]


def test_versions_that_are_set_later_and_those_of_libraries_that_it_links_to(
    configure: Configure, tmp_path: Path
) -> None:
    configure(
        WRITE,
        "add_library(core SHARED more.cc)",
        "set_target_properties(core PROPERTIES SOVERSION 5)",
        "add_library(lib SHARED lib.cc)",
        "tvm_ffi_configure_target(lib)",
        "target_link_libraries(lib PRIVATE core)",
        "target_link_options(lib PRIVATE -Wl,--no-as-needed)",
        "set_target_properties(lib PROPERTIES SOVERSION 2)",
        "install(TARGETS lib core DESTINATION sample)",
        define={"SKBUILD_STATE": "wheel"},
    )
    assert installed(tmp_path) == ["libcore.so", "liblib.so"]
    assert "libcore.so" in read_binary(tmp_path / "prefix/sample/liblib.so").libraries


def test_other_packages_keep_versions(configure: Configure, tmp_path: Path) -> None:
    done = configure(WRITE, *VERSIONED)
    assert "VERSION" not in done.stderr
    assert installed(tmp_path) == ["liblib.so", "liblib.so.1", "liblib.so.1.2.3"]


def test_a_wheel_without_versions_says_nothing(configure: Configure) -> None:
    lines = [line for line in VERSIONED if "SOVERSION" not in line]
    assert configure(WRITE, *lines, define={"SKBUILD_STATE": "wheel"}).stderr == ""


# CMake before 4.0 leaves a dollar sign in an option of the linker to the shell.
@pytest.mark.parametrize(("version", "generator"), [(None, "Ninja"), ("3.25.2", "Ninja"), ("3.25.2", "Unix Makefiles")])
def test_a_build_directory_may_have_a_dollar_sign(
    old_cmake: Callable[[str], str], tmp_path: Path, version: str | None, generator: str
) -> None:
    """As ``TMPDIR`` may, in which isolated builds are; also for a target of a subdirectory."""
    cmake = "cmake" if version is None else old_cmake(version)
    source, build = tmp_path / "source", tmp_path / "a$HOME b"
    (source / "sub").mkdir(parents=True)
    text = (
        "#include <tvm/ffi/c_api.h>\nTVM_FFI_DLL_EXPORT int __tvm_ffi_one(void) { return 1; }\n"
        "int two(void) { return 2; }\n"
    )
    for folder, name in ((source, "lib"), (source / "sub", "other")):
        (folder / "lib.c").write_text(text, encoding="utf-8")
        (folder / "CMakeLists.txt").write_text(
            f"add_library({name} SHARED lib.c)\ntvm_ffi_configure_target({name})\n", encoding="utf-8"
        )
    (source / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18...4.0)\nproject(demo LANGUAGES C CXX)\n"
        "find_package(tvm_ffi CONFIG REQUIRED)\nadd_library(lib SHARED lib.c)\ntvm_ffi_configure_target(lib)\n"
        "add_subdirectory(sub)\n",
        encoding="utf-8",
    )
    run(cmake, "-G", generator, "-S", source, "-B", build, f"-Dtvm_ffi_DIR={cmake_dir().as_posix()}")
    run(cmake, "--build", build)
    for library in (build / "liblib.so", build / "sub/libother.so"):
        assert set(read_binary(library).exported) == {"__tvm_ffi_one"}
