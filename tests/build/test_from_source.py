"""The runtime, built from the sources it ships: what the linker sees is the same, and nothing of it is shipped."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.processes import build_configured, error_of, run
from support.project import EXAMPLE, ROOT, RUNTIMES

from tvm_ffi_build.config import source_dir
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

    Configure = Callable[..., subprocess.CompletedProcess[str]]

ADD = f'add_subdirectory("{source_dir()}" tvm_ffi)'
FIND = "find_package(tvm_ffi CONFIG REQUIRED)"
SOURCE = {"TVM_FFI_LINK": "source"}
LIBRARY = "add_library(lib SHARED lib.cc)"


@pytest.mark.parametrize(("find", "define"), [(ADD, {}), (FIND, SOURCE)])
def test_targets_variables_and_functions_are_those_of_find_package(
    configure: Configure, find: str, define: dict[str, str]
) -> None:
    done = configure(
        LIBRARY,
        "tvm_ffi_configure_target(lib)",
        "tvm_ffi_install(lib)",
        "foreach(target IN ITEMS header shared static)",
        "  if(NOT TARGET tvm_ffi::${target} OR NOT TARGET tvm_ffi_${target})",
        "    message(FATAL_ERROR ${target})",
        "  endif()",
        "endforeach()",
        "get_target_property(options lib COMPILE_OPTIONS)",
        'message("@${tvm_ffi_INCLUDE_DIR}@${tvm_ffi_LIB_FILES}@${tvm_ffi_VERSION}@${CMAKE_CUDA_RUNTIME_LIBRARY}@${options}@")',
        find=find,
        define=define,
    )
    runtime = find_runtime()
    include, library, version, cuda, options = done.stderr.split("@")[1:-1]
    assert (include, library, version) == (str(runtime.include_dir), str(runtime.library), runtime.version)
    assert cuda == "Shared"
    # The same maps as after find_package; an empty folder would map the root.
    assert f"-ffile-prefix-map={runtime.include_dir}/=" in options
    assert "-ffile-prefix-map=/=" not in options


def test_a_project_of_c_alone(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/kernel.c").write_text(
        "#include <tvm/ffi/c_api.h>\nint f(void) { return 1; }\n", encoding="utf-8"
    )
    configure(
        "add_library(kernel SHARED kernel.c)",
        "tvm_ffi_configure_target(kernel LINK_SHARED OFF)",
        find=ADD,
        languages="C",
    )
    # Nothing of the runtime is built for a target that does not link it.
    assert "tvm_ffi_shared_objects" not in run("cmake", "--build", tmp_path / "build", "-v").stdout


def test_find_package_after_it_finds_what_was_added(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/sub").mkdir(parents=True)
    (tmp_path / "source/sub/CMakeLists.txt").write_text(f"{FIND}\n{FIND}\n", encoding="utf-8")
    for done in (
        configure(FIND, "add_subdirectory(sub)", LIBRARY, "tvm_ffi_configure_target(lib)", find=ADD),
        configure("add_subdirectory(sub)", FIND, LIBRARY, "tvm_ffi_configure_target(lib)", define=SOURCE),
    ):
        found = re.findall(r"Found tvm_ffi: (.*)", done.stdout)
        assert len(found) >= 3
        assert all(line.endswith("/tvm_ffi/src/ffi, to be built (version 0.1.15.post2)") for line in found), found


def test_a_folder_of_the_project_may_be_called_like_the_runtime(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/tvm_ffi").mkdir(parents=True)
    (tmp_path / "source/tvm_ffi/CMakeLists.txt").write_text("", encoding="utf-8")
    configure("add_subdirectory(tvm_ffi)", define=SOURCE)


@pytest.mark.parametrize("name", ["testing", "a[1] *?b"])
def test_the_runtime_may_lie_anywhere(configure: Configure, tmp_path: Path, oldest_runtime: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    runtime = shutil.copytree(oldest_runtime, tmp_path / name / "runtime")
    configure(LIBRARY, "tvm_ffi_configure_target(lib)", define={**SOURCE, "TVM_FFI_RUNTIME": str(runtime)})
    sources = run("ninja", "-C", tmp_path / "build", "-t", "commands", "tvm_ffi_shared").stdout
    assert "/src/ffi/object.cc" in sources
    assert "/src/ffi/testing/" not in sources


def test_the_headers_need_no_export_of_their_own(configure: Configure) -> None:
    configure(
        "add_library(st STATIC lib.cc)",
        "tvm_ffi_configure_target(st LINK_SHARED OFF)",
        "install(TARGETS st EXPORT e DESTINATION lib)",
        "install(EXPORT e DESTINATION lib)",
        define=SOURCE,
    )


def test_a_library_in_the_build_tree_finds_the_installed_runtime_first(configure: Configure, tmp_path: Path) -> None:
    configure(LIBRARY, "tvm_ffi_configure_target(lib)", define=SOURCE)
    commands = run("ninja", "-C", tmp_path / "build", "-t", "commands", "liblib.so").stdout
    path = re.search(r"-Wl,-rpath,(\S+)", commands)
    assert path
    assert path[1].split(":") == [str(find_runtime().library.parent), f"{tmp_path}/build/_tvm_ffi_runtime"]


@pytest.mark.parametrize("before", [FIND, f'add_subdirectory("{source_dir()}" earlier)'])
@pytest.mark.parametrize("then", [ADD, f"set(TVM_FFI_LINK source)\n{FIND}"])
def test_it_is_added_once_and_first(configure: Configure, before: str, then: str) -> None:
    if before != FIND and then != ADD:
        configure(then, find=before)  # finds what was added
        return
    line = error_of(configure(then, find=before, ok=False))
    assert "is to be built from source in" in line
    assert line.endswith("do so once, or set TVM_FFI_LINK to source before find_package(tvm_ffi)")


def test_another_word_for_how_to_link(configure: Configure) -> None:
    line = error_of(configure(define={"TVM_FFI_LINK": "static"}, ok=False))
    assert line == 'TVM_FFI_LINK takes prebuilt or source, not "static"'


def test_a_runtime_without_sources(configure: Configure, tmp_path: Path, oldest_runtime: Path) -> None:
    (tmp_path / "runtime").mkdir()
    for part in oldest_runtime.iterdir():
        (tmp_path / "runtime" / part.name).symlink_to(part)
    (tmp_path / "runtime/tvm_ffi").unlink()
    (tmp_path / "runtime/tvm_ffi").mkdir()
    for part in (oldest_runtime / "tvm_ffi").iterdir():
        if part.name != "src":
            (tmp_path / "runtime/tvm_ffi" / part.name).symlink_to(part)
    line = error_of(configure(define={**SOURCE, "TVM_FFI_RUNTIME": str(tmp_path / "runtime")}, ok=False))
    assert line == "apache-tvm-ffi 0.1.8.post0 ships no sources; link to its library with -DTVM_FFI_LINK=prebuilt"


# With what is found by its registered name alone: containers, and the loader that the module looks for.
ALONE = """#include <tvm/ffi/tvm_ffi.h>
#include <tvm/ffi/extra/module.h>
int main(int, char** argv) {
  for (const char* name : {"ffi.String", "ffi.Array", "ffi.Module.load_from_file.so"}) {
    if (!tvm::ffi::Function::GetGlobal(name).has_value()) return 1;
  }
  auto one = tvm::ffi::Module::LoadFromFile(argv[1])->GetFunction("one", false);
  if (!one.has_value() || (*one)().cast<int>() != 1) return 2;
  try {
    TVM_FFI_THROW(ValueError) << "caught";
  } catch (const std::exception&) {
    return 0;
  }
}
"""


# The oldest, the newest, and two between. Each takes a minute, so the others are only configured.
BUILT = (RUNTIMES[0], "0.1.11", "0.1.13.post3", RUNTIMES[-1])


@pytest.mark.parametrize("version", RUNTIMES)
def test_every_runtime_is_configured_from_its_sources(
    configure: Configure, unpacked_runtime: Callable[..., Path], version: str
) -> None:
    configure(
        LIBRARY,
        "tvm_ffi_configure_target(lib)",
        # CMake stops here where a source file is missing.
        define={**SOURCE, "TVM_FFI_RUNTIME": str(unpacked_runtime(version))},
    )


@pytest.mark.slow
@pytest.mark.parametrize("version", BUILT)
def test_a_runtime_is_built_linked_to_and_left_at_home(
    configure: Configure, tmp_path: Path, unpacked_runtime: Callable[..., Path], version: str, environment: Environment
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/alone.cc").write_text(ALONE, encoding="utf-8")
    runtime = unpacked_runtime(version)
    configure(
        LIBRARY,
        "tvm_ffi_configure_target(lib)",
        "install(TARGETS lib DESTINATION sample)",
        "tvm_ffi_install(lib DESTINATION sample)",
        # As the library finds what the program has: by what that exports.
        "add_executable(alone alone.cc)",
        "set_target_properties(alone PROPERTIES ENABLE_EXPORTS ON)",
        "add_library(for_alone SHARED lib.cc)",
        "tvm_ffi_configure_target(for_alone LINK_SHARED OFF)",
        "tvm_ffi_configure_target(alone LINK_SHARED OFF)",
        "target_link_libraries(alone PRIVATE tvm_ffi::static)",
        define={
            **SOURCE,
            "TVM_FFI_RUNTIME": str(runtime),
            "CMAKE_INTERPROCEDURAL_OPTIMIZATION": "ON",
            "CMAKE_POLICY_DEFAULT_CMP0069": "NEW",
            "CMAKE_CXX_FLAGS": "-Wall -Wextra -Werror=unused-parameter",
        },
    )
    build_configured(tmp_path, "lib")
    run("cmake", "--install", tmp_path / "build", "--prefix", tmp_path / "prefix")
    assert [path.name for path in sorted((tmp_path / "prefix").rglob("*")) if path.is_file()] == ["liblib.so"]
    library = tmp_path / "prefix/sample/liblib.so"
    environment.install(f"apache-tvm-ffi=={version}")
    environment.run("-c", f"import tvm_ffi; assert tvm_ffi.load_module({str(library)!r}).one() == 1")
    if version not in {RUNTIMES[0], RUNTIMES[-1]}:
        return
    # The static library, of the oldest and the newest: a program without Python.
    build_configured(tmp_path, "alone", "for_alone")
    alone = tmp_path / "build/alone"
    assert "tvm_ffi" not in run("ldd", alone).stdout
    run(alone, tmp_path / "build/libfor_alone.so")
    for path in (tmp_path, runtime, ROOT):
        assert str(path).encode() not in alone.read_bytes()


@pytest.mark.slow
def test_the_library_is_the_one_that_is_linked_to_the_prebuilt_library(example_wheel: Path, tmp_path: Path) -> None:
    """Only what the wheel says of its build differs."""
    define = ["-C", "cmake.define.TVM_FFI_LINK=source"]
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", EXAMPLE, "-w", tmp_path, *define)
    with zipfile.ZipFile(tmp_path / example_wheel.name) as mine, zipfile.ZipFile(example_wheel) as other:
        assert mine.namelist() == other.namelist()
        differing = {name for name in mine.namelist() if mine.read(name) != other.read(name)}
    assert {name.rpartition("/")[2] for name in differing} == {"tvm_ffi_build.json", "RECORD"}


@pytest.mark.slow
def test_the_example_holds_nothing_of_the_runtime_and_runs_on_the_installed_one(
    tmp_path: Path, environment: Environment
) -> None:
    example = ROOT / "examples/from_source"
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", example, "-w", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {f"my_ffi_from_source/{name}" for name in ("__init__.py", "py.typed", "libmy_ffi_from_source.so")}
    environment.install(f"{wheel}[test]")
    out = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", example / "tests")
    assert re.search(r"^2 passed", out, re.MULTILINE), out
    (shown,) = re.findall(r'^\$ python -c "(.*)"\n(.*)$', (example / "README.md").read_text("utf-8"), re.MULTILINE)
    assert environment.run("-c", shown[0]) == f"{shown[1]}\n"
