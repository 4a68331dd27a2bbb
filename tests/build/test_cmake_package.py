"""The CMake package by itself: plain ``cmake``, without a Python build backend."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.downloads import install_to
from support.processes import build_configured, command_line, counting_python, error_of, run
from support.project import PLAIN_LIBRARY_SOURCE, ROOT

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.config import cmake_dir, cmake_variables
from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.contract.evidence.needs import read_needs
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Configure = Callable[..., subprocess.CompletedProcess[str]]


def test_targets_and_variables_have_both_spellings(configure: Configure) -> None:
    runtime = find_runtime()
    done = configure(
        "foreach(target IN ITEMS tvm_ffi::header tvm_ffi::shared tvm_ffi_header tvm_ffi_shared)",
        "  if(NOT TARGET ${target})",
        "    message(FATAL_ERROR ${target})",
        "  endif()",
        "endforeach()",
        'message("@${tvm_ffi_INCLUDE_DIR}@${tvm_ffi_DLPACK_INCLUDE_DIR}@${tvm_ffi_LIB_FILES}@${tvm_ffi_VERSION}@")',
    )
    answers = done.stderr.split("@")[1:-1]
    assert answers == [*map(str, (runtime.include_dir, runtime.dlpack_include_dir, runtime.library)), runtime.version]


def test_cuda_is_linked_as_with_the_runtimes_own_package_unless_the_project_says_how(configure: Configure) -> None:
    assert "@Shared@" in configure('message("@${CMAKE_CUDA_RUNTIME_LIBRARY}@")').stderr
    define = {"CMAKE_CUDA_RUNTIME_LIBRARY": "None"}
    assert "@None@" in configure('message("@${CMAKE_CUDA_RUNTIME_LIBRARY}@")', define=define).stderr


FUNCTIONS = sorted(path.stem for path in cmake_dir().glob("*tvm_ffi_*.cmake"))


def test_every_public_function_of_the_runtimes_package_is_there(configure: Configure) -> None:
    theirs = Path(find_runtime().package, "share/cmake/tvm_ffi")
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(theirs.glob("*.cmake")))
    included = re.findall(r"include\(\$\{CMAKE_CURRENT_LIST_DIR\}/(\S+)\)", text)
    defined = [
        name
        for path in included
        for name in re.findall(
            r"^(?:function|macro) \((\w+)", (theirs / path).read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert set(defined) == set(FUNCTIONS)
    configure(*(f"if(NOT COMMAND {name})\nmessage(FATAL_ERROR {name})\nendif()" for name in FUNCTIONS))


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [("0.1.8", True), ("0.1", True), ("0.1.8...<0.2", True), ("0.2", False), ("0.1.8...<0.1.9", False), ("99", False)],
)
def test_the_version_that_is_asked_for_is_the_runtimes(configure: Configure, wanted: str, fits: bool) -> None:
    done = configure(find=f"find_package(tvm_ffi {wanted} CONFIG REQUIRED)", ok=False)
    if fits:
        assert done.returncode == 0, done.stderr
    else:
        assert f'compatible with requested version{" range" if "..." in wanted else ""} "{wanted}"' in error_of(done)


def test_an_exact_version(configure: Configure) -> None:
    numbers = re.match(r"[0-9.]*[0-9]", find_runtime().version)
    assert numbers
    configure(find=f"find_package(tvm_ffi {numbers[0]} EXACT CONFIG REQUIRED)")
    assert "EXACT" in error_of(configure(find="find_package(tvm_ffi 0.1.8 EXACT CONFIG REQUIRED)", ok=False)).upper()


def test_a_range_of_versions_includes_its_last_one(configure: Configure) -> None:
    numbers = re.match(r"[0-9.]*[0-9]", find_runtime().version)
    assert numbers
    configure(find=f"find_package(tvm_ffi 0.1.8...{numbers[0]} CONFIG REQUIRED)")


def test_no_runtime_for_an_exact_version(configure: Configure) -> None:
    find = "find_package(tvm_ffi 0.1.8 EXACT CONFIG REQUIRED)"
    assert "holds no apache-tvm-ffi" in error_of(configure(find=find, define={"TVM_FFI_RUNTIME": "nowhere"}, ok=False))


def test_one_python_process_finds_the_runtime(configure: Configure, tmp_path: Path) -> None:
    python = counting_python(tmp_path)
    configure(
        "find_package(tvm_ffi CONFIG REQUIRED)",
        find="find_package(tvm_ffi 0.1.8 CONFIG REQUIRED)",
        define={"TVM_FFI_PYTHON": str(python)},
    )
    assert (tmp_path / "starts").read_text(encoding="utf-8") == "-m tvm_ffi_build.config --cmake-variables\n"


def test_no_python_process_when_the_plugin_said_where_it_is(configure: Configure, tmp_path: Path) -> None:
    python = counting_python(tmp_path)
    configure(define={"TVM_FFI_PYTHON": str(python), **cmake_variables(find_runtime())})
    assert not (tmp_path / "starts").exists()


def test_the_runtime_beside_this_package_is_found_by_a_python_that_lacks_both(
    configure: Configure, tmp_path: Path
) -> None:
    """CMake often picks the system's Python and not the environment's."""
    base = run(sys.executable, "-c", "import sys; print(sys._base_executable)").stdout.strip()
    site = tmp_path / "site-packages"
    install_to(site, ROOT)
    done = configure(define={"tvm_ffi_DIR": str(site / "tvm_ffi_build/data/cmake"), "TVM_FFI_PYTHON": base})
    assert f"Found tvm_ffi: {site}/tvm_ffi/lib/" in done.stdout


def test_another_runtime_may_be_named(configure: Configure, oldest_runtime: Path) -> None:
    for way in (
        {"define": {"TVM_FFI_RUNTIME": str(oldest_runtime)}},
        {"env": {**os.environ, "TVM_FFI_RUNTIME": str(oldest_runtime)}},
    ):
        done = configure(**way)
        assert f"Found tvm_ffi: {oldest_runtime}/tvm_ffi/lib/" in done.stdout


def test_a_relative_folder_of_a_runtime_counts_from_the_project(
    configure: Configure, oldest_runtime: Path, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/rt").symlink_to(oldest_runtime)
    for way in ({"define": {"TVM_FFI_RUNTIME": "rt"}}, {"env": {**os.environ, "TVM_FFI_RUNTIME": "rt"}}):
        assert f"Found tvm_ffi: {oldest_runtime}/" in configure(**way).stdout


def test_paths_that_are_gone_are_asked_for_again(configure: Configure) -> None:
    """As in the build folder of an isolated build, whose environment was deleted."""
    gone = dict.fromkeys(cmake_variables(find_runtime()), "/gone")
    assert f"Found tvm_ffi: {find_runtime().library}" in configure(define=gone).stdout


def test_a_module_in_the_projects_folder_is_not_imported(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    for name in ("tvm_ffi_build", "packaging", "re"):
        (tmp_path / "source" / f"{name}.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    configure(cwd=tmp_path / "source")


def test_no_runtime(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    env = {**os.environ, "TVM_FFI_RUNTIME": str(tmp_path / "empty")}
    line = error_of(configure(env=env, ok=False))
    assert re.search(r"/empty holds no apache-tvm-ffi: .*; run: python -m pip install", line)


def test_no_runtime_where_it_is_optional(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    env = {**os.environ, "TVM_FFI_RUNTIME": str(tmp_path / "empty")}
    done = configure('message("@${tvm_ffi_FOUND}@")', find="find_package(tvm_ffi CONFIG QUIET)", env=env)
    assert "@FALSE@" in done.stderr or "@0@" in done.stderr


def test_a_runtime_that_is_too_old(configure: Configure, unpacked_runtime: Callable[..., Path]) -> None:
    line = error_of(configure(define={"TVM_FFI_RUNTIME": str(unpacked_runtime("0.1.7"))}, ok=False))
    assert "apache-tvm-ffi 0.1.7 in" in line
    assert "too old to build against" in line


@pytest.mark.parametrize("part", ["lib", "include"])
def test_a_broken_runtime(configure: Configure, oldest_runtime: Path, tmp_path: Path, part: str) -> None:
    broken = Path(shutil.copytree(oldest_runtime, tmp_path / "broken"))
    shutil.rmtree(broken / "tvm_ffi" / part)
    line = error_of(configure(define={"TVM_FFI_RUNTIME": str(broken)}, ok=False))
    assert "has no" in line
    assert "--force-reinstall" in line


def test_a_python_that_lacks_everything(configure: Configure, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'python: broken' >&2\nexit 3\n", encoding="utf-8")
    script.chmod(0o755)
    line = error_of(configure(define={"TVM_FFI_PYTHON": str(script)}, ok=False))
    assert (
        line == f"python: broken (asked {script}; pass -DTVM_FFI_PYTHON=<path of a Python 3.9 or newer> to ask another)"
    )


LIBRARY = "add_library(lib SHARED lib.cc)"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["tvm_ffi_configure_target(nothing)"],
            r'configure_target\(nothing\): there is no target named "nothing"; call add_library',
        ),
        (["tvm_ffi_install(nothing)"], r'install\(nothing\): there is no target named "nothing"'),
        (
            [LIBRARY, "tvm_ffi_configure_target(lib LINK_STATIC ON)"],
            r"\(lib\): unknown argument: LINK_STATIC ON; it takes LINK_SHARED, .*, EXPORT",
        ),
        (
            [LIBRARY, "tvm_ffi_install(lib DESTINTAION .)"],
            r"\(lib\): unknown argument: DESTINTAION \.; it takes DESTINATION, ",
        ),
        ([LIBRARY, "tvm_ffi_configure_target(lib LINK_SHARED)"], r"\(lib\): without a value: LINK_SHARED"),
        ([LIBRARY, "tvm_ffi_configure_target(lib LINK_SHARED MAYBE)"], r'LINK_SHARED takes ON or OFF, not "MAYBE"'),
        ([LIBRARY, "tvm_ffi_configure_target(lib STUB_INIT ON)"], r"\(lib\): STUB_INIT needs STUB_DIR"),
        (
            [LIBRARY, "tvm_ffi_configure_target(lib STUB_DIR . STUB_PKG a)"],
            r"STUB_PKG has a meaning only with STUB_INIT ON",
        ),
        (
            [LIBRARY, "tvm_ffi_configure_target(lib STUB_DIR . STUB_PREFIX a)"],
            r"STUB_PREFIX has a meaning only with STUB_INIT",
        ),
        ([LIBRARY, "tvm_ffi_configure_target(lib STUB_DIR nowhere)"], r"STUB_DIR .*/nowhere is not a directory"),
        (
            [LIBRARY, "tvm_ffi_configure_target(lib STUB_DIR . STUB_TARGET rust)"],
            r'takes python, not "rust"; .* tvm-ffi-stubgen',
        ),
        ([LIBRARY, "tvm_ffi_configure_target(lib STUB_TARGET python)"], r"STUB_TARGET needs STUB_DIR"),
        (["tvm_ffi_configure_target(tvm_ffi::shared)"], r"is an alias or imported"),
        (
            ["add_library(head INTERFACE)", "tvm_ffi_configure_target(head)"],
            r'"head" is of type INTERFACE_LIBRARY; it must be',
        ),
        (
            [LIBRARY, "tvm_ffi_configure_target(lib)", "tvm_ffi_configure_target(lib EXPORT a)"],
            r"\(lib\): it was called for this target before",
        ),
        (
            [LIBRARY, 'tvm_ffi_configure_target(lib EXPORT "a b")'],
            r'EXPORT takes globs of symbols .*, not "a b"; for C\+\+ that is the mangled name',
        ),
        ([LIBRARY, "tvm_ffi_configure_target(lib EXPORT ns::f*)"], r'not "ns::f\*"'),
        (
            ["add_library(lib OBJECT lib.cc)", "tvm_ffi_configure_target(lib EXPORT a)"],
            r"EXPORT has a meaning only for a shared library, this is of type OBJECT_LIBRARY",
        ),
        (
            ["add_library(lib OBJECT lib.cc)", "tvm_ffi_configure_target(lib STUB_DIR .)"],
            r"STUB_DIR has a meaning only for a shared library",
        ),
        ([LIBRARY, "tvm_ffi_embed_bin_into(lib SYMBOL a)"], r"embed_bin_into\(lib\): BIN is missing"),
        ([LIBRARY, "tvm_ffi_embed_bin_into(lib SYMBOL a-b BIN x)"], r'SYMBOL "a-b" is not part of a C identifier'),
        (["add_tvm_ffi_cubin(k CUDA k.cu)"], r"add_tvm_ffi_cubin\(k\): the project does not use CUDA"),
        (["add_tvm_ffi_fatbin(k)"], r"add_tvm_ffi_fatbin\(k\): CUDA is missing"),
    ],
)
def test_a_wrong_call_is_an_error_that_names_it(configure: Configure, lines: list[str], message: str) -> None:
    line = error_of(configure(*lines, ok=False))
    assert re.search(message, line), line


def test_variables_of_the_project_stay_as_they_are(configure: Configure) -> None:
    names = ("version", "source", "target", "folder", "python", "root", "link", "call")
    done = configure(
        *(f'message("after: {name} ${{{name}}}")' for name in names),
        find="\n".join([*(f"set({name} mine)" for name in names), "find_package(tvm_ffi CONFIG REQUIRED)"]),
    )
    assert re.findall(r"after: (\w+) (\w*)", done.stderr) == [(name, "mine") for name in names]


def test_a_step_after_linking_for_a_target_of_another_folder(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/sub").mkdir(parents=True)
    (tmp_path / "source/sub/CMakeLists.txt").write_text("add_library(deep SHARED ../lib.cc)\n", encoding="utf-8")
    calls = "add_subdirectory(sub)", "tvm_ffi_configure_target(deep)"
    assert "CMake" not in configure(*calls, "tvm_ffi_install(deep)").stderr
    line = error_of(configure(*calls, "tvm_ffi_install(deep SPLIT_DEBUG ON)", ok=False))
    assert re.fullmatch(r"tvm_ffi_install\(deep\): with SPLIT_DEBUG, call this in the directory of deep: .+/sub", line)
    # As on macOS, but for the program.
    done = configure(*calls, "set(APPLE TRUE)", "tvm_ffi_add_apple_dsymutil(deep)")
    assert "tvm_ffi_add_apple_dsymutil(deep): no dSYM is made" in " ".join(done.stderr.split())


def test_sources_in_a_language_that_the_project_does_not_use(configure: Configure) -> None:
    """They would be left out, and the library be there all the same, with nothing in it."""
    line = error_of(configure(LIBRARY, "tvm_ffi_configure_target(lib)", languages="C", ok=False))
    assert line == (
        "tvm_ffi_configure_target(lib): no source of it is compiled, for the project does not use their language; "
        "name that of lib.cc in project(... LANGUAGES ...)"
    )


@pytest.mark.parametrize("other", ["${CMAKE_CURRENT_BINARY_DIR}/made.c", "$<1:made.c>"])
def test_of_sources_that_cannot_be_seen_yet_nothing_is_said(configure: Configure, other: str) -> None:
    make = "add_custom_command(OUTPUT made.c COMMAND ${CMAKE_COMMAND} -E touch made.c)"
    configure(make, f"add_library(lib SHARED lib.cc {other})", "tvm_ffi_configure_target(lib)", languages="C")


def test_an_old_scikit_build_core_is_refused(configure: Configure) -> None:
    line = error_of(configure(define={"SKBUILD_CORE_VERSION": "0.12.2"}, ok=False))
    assert "needs scikit-build-core 1.0 or newer, this is 0.12.2" in line


# Declares a function that a library exports unless a linker option hides it.
VISIBLE = 'extern "C" __attribute__((visibility("default")))'


def exported(library: Path) -> set[str]:
    return set(run("nm", "-D", "--defined-only", "--format=just-symbols", library).stdout.split())


def test_only_the_functions_of_the_abi_are_exported_and_what_export_adds(configure: Configure, tmp_path: Path) -> None:
    configure(
        f"file(WRITE ${{CMAKE_CURRENT_SOURCE_DIR}}/more.cc [[{VISIBLE} int more_one() {{ return 1; }}\n"
        f"{VISIBLE} int less() {{ return 1; }}]])",
        "foreach(name IN ITEMS plain more everything)",
        "  add_library(${name} SHARED lib.cc more.cc)",
        "endforeach()",
        "tvm_ffi_configure_target(plain)",
        "tvm_ffi_configure_target(more EXPORT more_* other_*)",
        'tvm_ffi_configure_target(everything EXPORT "*")',
    )
    build_configured(tmp_path)
    assert exported(tmp_path / "build/libplain.so") == {"__tvm_ffi_one"}
    assert exported(tmp_path / "build/libmore.so") == {"__tvm_ffi_one", "more_one"}
    assert exported(tmp_path / "build/libeverything.so") >= {"__tvm_ffi_one", "more_one", "less"}


def test_a_module_also_exports_the_function_that_python_imports_it_by(configure: Configure, tmp_path: Path) -> None:
    function = "".join(
        f'extern "C" __attribute__((visibility("default"))) void* {name}_lib() {{ return nullptr; }} '
        for name in ("PyInit", "PyModExport")
    )
    configure(
        f"file(WRITE ${{CMAKE_CURRENT_SOURCE_DIR}}/module.cc [[{function}]])",
        "add_library(lib MODULE lib.cc module.cc)",
        "tvm_ffi_configure_target(lib)",
    )
    build_configured(tmp_path)
    assert exported(tmp_path / "build/liblib.so") == {"__tvm_ffi_one", "PyInit_lib", "PyModExport_lib"}


# Takes what 0.1.12 exports of the C++ library, where a linker meets the runtime first.
STREAMS = """
#include <sstream>
#include <string>
#include <vector>
#include <tvm/ffi/tvm_ffi.h>
static tvm::ffi::String Words(int64_t count) {
  std::ostringstream text;
  std::vector<std::string> words(static_cast<size_t>(count), "word");
  for (const auto& word : words) text << word << ' ';
  return text.str();
}
TVM_FFI_DLL_EXPORT_TYPED_FUNC(words, Words);
"""


@pytest.mark.parametrize(
    ("settings", "is_clean", "needs_cxx"),
    [
        ("tvm_ffi_configure_target(lib)", True, True),
        ("target_link_libraries(lib PRIVATE tvm_ffi::header tvm_ffi::shared)", False, True),
        ("target_link_options(lib PRIVATE -static-libstdc++)\ntvm_ffi_configure_target(lib)", True, False),
    ],
    ids=["configured", "by-hand", "linked-statically"],
)
def test_the_cxx_library_is_not_taken_from_the_runtime(
    configure: Configure,
    tmp_path: Path,
    unpacked_runtime: Callable[..., Path],
    settings: str,
    *,
    is_clean: bool,
    needs_cxx: bool,
) -> None:
    configure(
        f"file(WRITE ${{CMAKE_CURRENT_SOURCE_DIR}}/streams.cc [[{STREAMS}]])",
        "add_library(lib SHARED streams.cc)",
        settings,
        define={"TVM_FFI_RUNTIME": unpacked_runtime("0.1.12"), "CMAKE_BUILD_TYPE": "Release"},
    )
    build_configured(tmp_path)
    path = tmp_path / "build/liblib.so"
    binary = read_binary(path)
    assert (read_needs(path, binary, read_ledger(), name="liblib.so").leaks == frozenset()) is is_clean
    assert ("libstdc++.so.6" in binary.libraries) is needs_cxx


def test_what_static_libraries_bring_is_not_exported(configure: Configure, tmp_path: Path) -> None:
    configure(
        f"file(WRITE ${{CMAKE_CURRENT_SOURCE_DIR}}/a.cc [[{VISIBLE} int from_archive() {{ return 1; }}]])",
        'file(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/b.cc [[extern "C" int from_archive();\n'
        'extern "C" int own() { return from_archive(); }]])',
        "add_library(archive STATIC a.cc)",
        "set_target_properties(archive PROPERTIES POSITION_INDEPENDENT_CODE ON)",
        "add_library(lib SHARED b.cc)",
        "target_link_libraries(lib PRIVATE archive)",
        "tvm_ffi_hide_static_linked_lib_symbols(lib)",
    )
    build_configured(tmp_path)
    assert "own" in exported(tmp_path / "build/liblib.so")
    assert "from_archive" not in exported(tmp_path / "build/liblib.so")


@pytest.mark.usefixtures("uncached_compiler")
def test_debug_information_holds_no_path_of_this_machine(configure: Configure, tmp_path: Path) -> None:
    configure(
        LIBRARY,
        "tvm_ffi_configure_target(lib)",
        define={"CMAKE_BUILD_TYPE": "RelWithDebInfo", "CMAKE_SKIP_RPATH": "ON"},
    )
    build_configured(tmp_path)
    content = (tmp_path / "build/liblib.so").read_bytes()
    assert b"lib.cc" in content
    site_packages = str(find_runtime().package.parent)
    for path in (str(tmp_path), site_packages, str(ROOT)):
        assert path.encode() not in content


def test_a_project_below_another_has_its_paths_from_the_top(configure: Configure, tmp_path: Path) -> None:
    sub = tmp_path / "source" / "deep (1)" / "c++"
    sub.mkdir(parents=True)
    (sub / "lib.cc").write_text(PLAIN_LIBRARY_SOURCE, encoding="utf-8")
    (sub / "CMakeLists.txt").write_text(f"{LIBRARY}\ntvm_ffi_configure_target(lib)\n", encoding="utf-8")
    configure('add_subdirectory("deep (1)/c++")', define={"CMAKE_BUILD_TYPE": "Debug", "CMAKE_SKIP_RPATH": "ON"})
    build_configured(tmp_path)
    (library,) = (tmp_path / "build").rglob("liblib.so")
    content = library.read_bytes()
    assert b"deep (1)/c++/lib.cc" in content
    assert str(tmp_path).encode() not in content


def test_a_dependency_from_outside_of_the_project_leaves_no_path(configure: Configure, tmp_path: Path) -> None:
    """Where FetchContent puts it if FETCHCONTENT_BASE_DIR names a shared directory."""
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    (fetched / "lib.cc").write_text(PLAIN_LIBRARY_SOURCE, encoding="utf-8")
    (fetched / "CMakeLists.txt").write_text(f"{LIBRARY}\ntvm_ffi_configure_target(lib)\n", encoding="utf-8")
    configure(f'add_subdirectory("{fetched}" fetched)', define={"CMAKE_BUILD_TYPE": "Debug", "CMAKE_SKIP_RPATH": "ON"})
    build_configured(tmp_path)
    content = (tmp_path / "build/fetched/liblib.so").read_bytes()
    assert b"lib.cc" in content
    assert str(tmp_path).encode() not in content


def test_a_folder_that_begins_like_the_build_folder_keeps_its_name(configure: Configure, tmp_path: Path) -> None:
    tools = tmp_path / "source/out_tools"
    tools.mkdir(parents=True)
    (tools / "lib.cc").write_text(PLAIN_LIBRARY_SOURCE, encoding="utf-8")
    configure("add_library(lib SHARED out_tools/lib.cc)", "tvm_ffi_configure_target(lib)")
    run(
        *command_line(
            "cmake -G Ninja -S {source} -B {out} -Dtvm_ffi_DIR={cmake_dir} -DTVM_FFI_PYTHON={python} "
            "-DCMAKE_BUILD_TYPE=Debug",
            source=tmp_path / "source",
            out=tmp_path / "source/out",
            cmake_dir=cmake_dir(),
            python=sys.executable,
        )
    )
    run("cmake", "--build", tmp_path / "source/out")
    assert b"out_tools/lib.cc" in (tmp_path / "source/out/liblib.so").read_bytes()


def test_optimisation_at_link_time_leaves_no_path(configure: Configure, tmp_path: Path) -> None:
    configure(
        LIBRARY,
        "set_target_properties(lib PROPERTIES INTERPROCEDURAL_OPTIMIZATION ON)",
        "tvm_ffi_configure_target(lib)",
        define={"CMAKE_BUILD_TYPE": "RelWithDebInfo", "CMAKE_SKIP_RPATH": "ON", "CMAKE_POLICY_DEFAULT_CMP0069": "NEW"},
    )
    build_configured(tmp_path)
    content = (tmp_path / "build/liblib.so").read_bytes()
    assert b"lib.cc" in content
    assert str(tmp_path).encode() not in content


def test_a_library_that_is_installed_elsewhere_gets_no_run_path(configure: Configure) -> None:
    for calls in (
        ["tvm_ffi_configure_target(lib)", "tvm_ffi_install(lib DESTINATION /usr/lib/foo)"],
        ["tvm_ffi_install(lib DESTINATION /usr/lib/foo)", "tvm_ffi_configure_target(lib)"],
    ):
        done = configure(
            LIBRARY,
            "set_target_properties(lib PROPERTIES INSTALL_RPATH own)",
            *calls,
            "get_target_property(path lib INSTALL_RPATH)",
            'message("@${path}@")',
        )
        assert "@own@" in done.stderr
        assert "/usr/lib/foo is not in" in done.stdout


def test_functions_without_the_targets_say_what_to_call(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/sub").mkdir(parents=True)
    (tmp_path / "source/sub/CMakeLists.txt").write_text("find_package(tvm_ffi CONFIG REQUIRED)\n", encoding="utf-8")
    line = error_of(configure("add_subdirectory(sub)", LIBRARY, "tvm_ffi_configure_target(lib)", find="", ok=False))
    assert "call find_package(tvm_ffi CONFIG REQUIRED) before it, in this directory or a parent" in line


def test_objects_archives_and_programs_may_be_configured_too(configure: Configure, tmp_path: Path) -> None:
    configure(
        "file(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/main.cc [[#include <tvm/ffi/tvm_ffi.h>\n"
        'int main() { return tvm::ffi::Function::GetGlobal("ffi.String").has_value() ? 0 : 1; }]])',
        "add_library(objects OBJECT lib.cc)",
        "add_library(archive STATIC lib.cc)",
        "add_executable(program main.cc)",
        "add_library(parts SHARED $<TARGET_OBJECTS:objects>)",
        "foreach(target IN ITEMS objects archive program parts)",
        "  tvm_ffi_configure_target(${target})",
        "endforeach()",
    )
    build_configured(tmp_path)
    run(tmp_path / "build" / "program")
    # In parts, without a word about position-independent code.
    assert exported(tmp_path / "build/libparts.so") == {"__tvm_ffi_one"}


@pytest.mark.parametrize("generator", ["Unix Makefiles", "Ninja Multi-Config"])
def test_other_generators(configure: Configure, tmp_path: Path, generator: str) -> None:
    configure(
        LIBRARY,
        "tvm_ffi_configure_target(lib)",
        "add_library(unbuilt SHARED EXCLUDE_FROM_ALL lib.cc)",
        "tvm_ffi_configure_target(unbuilt)",
        "install(TARGETS lib DESTINATION sample)",
        "tvm_ffi_install(lib DESTINATION sample SPLIT_DEBUG ON)",
        define={"TVM_FFI_WHEEL_IS_AGNOSTIC": "ON"},
        generator=generator,
        library=PLAIN_LIBRARY_SOURCE,
    )
    run("cmake", "--build", tmp_path / "build", "--config", "RelWithDebInfo")
    run("cmake", "--install", tmp_path / "build", "--config", "RelWithDebInfo", "--prefix", tmp_path / "prefix")
    installed = tmp_path / "prefix/sample"
    assert {path.name for path in installed.iterdir()} == {"liblib.so", "liblib.so.debug"}
    assert exported(installed / "liblib.so") == {"__tvm_ffi_one"}
    # Split, not doubled.
    assert ".debug_info" in run("readelf", "-SW", installed / "liblib.so.debug").stdout
    assert ".debug_info" not in run("readelf", "-SW", installed / "liblib.so").stdout


@pytest.mark.parametrize("name", ["a,b", "a>b", "a=b", "a$b", "a#b", "(a) [b]+"])
def test_a_build_folder_with_odd_letters(configure: Configure, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    source = tmp_path / name / "source"
    configure(LIBRARY, "tvm_ffi_configure_target(lib)", library=PLAIN_LIBRARY_SOURCE)
    (tmp_path / "source").rename(source)
    odd = tmp_path / name / "build"
    run(
        *command_line(
            "cmake -G Ninja -S {source} -B {odd} -Dtvm_ffi_DIR={cmake_dir} -DCMAKE_BUILD_TYPE=Debug "
            "-DTVM_FFI_PYTHON={python} -DCMAKE_SKIP_RPATH=ON",
            source=source,
            odd=odd,
            cmake_dir=cmake_dir(),
            python=sys.executable,
        )
    )
    run("cmake", "--build", odd)
    assert exported(odd / "liblib.so") == {"__tvm_ffi_one"}
    assert str(tmp_path).encode() not in (odd / "liblib.so").read_bytes()


def test_a_project_may_bring_its_own_version_script(configure: Configure, tmp_path: Path) -> None:
    configure(
        'file(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/own.map "{ global: __tvm_ffi_*; local: *; };")',
        LIBRARY,
        'tvm_ffi_configure_target(lib EXPORT "*")',
        "target_link_options(lib PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/own.map)",
    )
    build_configured(tmp_path)
    assert exported(tmp_path / "build/liblib.so") == {"__tvm_ffi_one"}


def test_libraries_from_one_compilation(configure: Configure, tmp_path: Path) -> None:
    configure(
        "add_library(objects OBJECT lib.cc)",
        "set_target_properties(objects PROPERTIES POSITION_INDEPENDENT_CODE ON)",
        "target_link_libraries(objects PUBLIC tvm_ffi::header)",
        "tvm_ffi_add_target_from_obj(mine objects)",
        "target_link_libraries(mine_shared PRIVATE tvm_ffi::shared)",
        "add_library(user SHARED lib.cc)",
        "target_link_libraries(user PRIVATE mine::shared mine::static tvm_ffi::header)",
    )
    build_configured(tmp_path)
    assert {path.name for path in (tmp_path / "build/lib").iterdir()} == {
        "libmine.so",
        "libmine_static.a",
        "libmine_testing.so",
    }


def test_a_file_is_embedded_byte_for_byte_under_a_hidden_name(configure: Configure, tmp_path: Path) -> None:
    """With any file: an assembler does not care what is in it. Real device code is compiled in the slow tests."""
    blob = bytes(range(256)) * 5
    (tmp_path / "kernel with blank.bin").write_bytes(blob)
    (tmp_path / "source/kernels").mkdir(parents=True)
    (tmp_path / "source/kernels/committed.bin").write_bytes(blob)
    configure(
        LIBRARY,
        "tvm_ffi_configure_target(lib)",
        f'tvm_ffi_embed_bin_into(lib SYMBOL first BIN "{tmp_path}/kernel with blank.bin")',
        "tvm_ffi_embed_bin_into(lib SYMBOL second BIN kernels/committed.bin)",
        "add_custom_command(OUTPUT made.bin",
        "  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/kernels/committed.bin made.bin)",
        "tvm_ffi_embed_bin_into(lib SYMBOL third BIN made.bin)",
        define={"CMAKE_BUILD_TYPE": "Release"},
    )
    build_configured(tmp_path)
    library = tmp_path / "build/liblib.so"
    rows = [line.split() for line in run("nm", library).stdout.splitlines()]
    symbols = {row[-1]: int(row[0], 16) for row in rows if "cubin" in row[-1]}
    content = library.read_bytes()
    for name in ("first", "second", "third"):
        start = symbols[f"__tvm_ffi__cubin_{name}"]
        end = symbols[f"__tvm_ffi__cubin_{name}_end"]
        assert end - start == len(blob)
        assert start % 64 == 0
        # Read-only data lies at its address in a library of this size.
        assert content[start:end] == blob
    assert exported(library) == {"__tvm_ffi_one"}


REGISTERED = """#include <tvm/ffi/tvm_ffi.h>
static int64_t AddTwo(int64_t x) { return x + 2; }
TVM_FFI_STATIC_INIT_BLOCK() { tvm::ffi::reflection::GlobalDef().def("registered.add_two", AddTwo); }
"""


def test_stubs_are_generated_by_the_runtimes_own_tool(configure: Configure, tmp_path: Path) -> None:
    configure(
        f"file(WRITE ${{CMAKE_CURRENT_SOURCE_DIR}}/registered.cc [[{REGISTERED}]])",
        "add_library(registered SHARED registered.cc)",
        "tvm_ffi_configure_target(registered STUB_DIR python STUB_INIT ON STUB_TARGET python)",
    )
    build_configured(tmp_path)
    (stub,) = (tmp_path / "source/python").rglob("_ffi_api.py")
    assert "def add_two(" in stub.read_text(encoding="utf-8")


def test_stubs_that_exist_are_kept_up_to_date_by_the_python_that_knows_the_runtime(
    configure: Configure, tmp_path: Path
) -> None:
    """Whichever Python CMake has found: the one of the system does not have the runtime."""
    python = tmp_path / "source/python"
    python.mkdir(parents=True)
    stub = python / "stub.py"
    stub.write_text("# tvm-ffi-stubgen(begin): global/registered\n# tvm-ffi-stubgen(end)\n", encoding="utf-8")
    configure(
        f"file(WRITE ${{CMAKE_CURRENT_SOURCE_DIR}}/registered.cc [[{REGISTERED}]])",
        "add_library(registered SHARED registered.cc)",
        "tvm_ffi_configure_target(registered STUB_DIR python)",
    )
    build_configured(tmp_path)
    assert "def add_two(" in stub.read_text(encoding="utf-8")


def test_a_cmake_that_is_too_old(configure: Configure, old_cmake: Callable[[str], str]) -> None:
    line = error_of(configure(cmake=old_cmake("3.17.3"), ok=False))
    assert line == 'tvm-ffi-build needs CMake 3.18 or newer, this is 3.17.3; run: python -m pip install "cmake>=3.18"'


def test_the_oldest_cmake_builds_and_installs(
    configure: Configure, tmp_path: Path, old_cmake: Callable[[str], str]
) -> None:
    cmake = old_cmake("3.18.4.post1")
    configure(
        LIBRARY,
        "tvm_ffi_configure_target(lib)",
        "install(TARGETS lib DESTINATION sample)",
        "tvm_ffi_install(lib DESTINATION sample)",
        find="find_package(tvm_ffi 0.1.8 CONFIG REQUIRED)",
        cmake=cmake,
        define={"TVM_FFI_WHEEL_IS_AGNOSTIC": "ON"},
    )
    run(cmake, "--build", tmp_path / "build")
    run(cmake, "--install", tmp_path / "build", "--prefix", tmp_path / "prefix")
    library = tmp_path / "prefix/sample/liblib.so"
    assert exported(library) == {"__tvm_ffi_one"}
    run(sys.executable, "-c", f"import tvm_ffi; assert tvm_ffi.load_module({str(library)!r}).one() == 1")
