"""What the toolchain sees to, and that it has to: each is shown to go wrong without."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.binaries import read_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.environments import Builder, Environment

pytestmark = pytest.mark.slow

HARD = ROOT / "tests/packages/hard/src"
CMAKE = """
cmake_minimum_required(VERSION 3.18)
project(trap LANGUAGES CXX)
find_package(tvm_ffi CONFIG REQUIRED)
add_library(trap SHARED trap.cc)
tvm_ffi_configure_target(trap {arguments})
"""
# A header that lets memory.h compile and pairs what must not be paired.
NAIVE = """
#include <malloc.h>
static inline int posix_memalign(void** result, size_t alignment, size_t size) {
  *result = _aligned_malloc(size, alignment);
  return *result ? 0 : 12;
}
"""
CHURN = """
#include <tvm/ffi/tvm_ffi.h>
#include <vector>
namespace ffi = tvm::ffi;
struct Aligned : ffi::Object {
  alignas(64) char data[256];
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("trap.Aligned", Aligned, ffi::Object);
};
static int64_t Churn(int64_t count) {
  int64_t wrong = 0;
  std::vector<ffi::ObjectPtr<Aligned>> objects;
  for (int64_t i = 0; i < count; ++i) {
    objects.push_back(ffi::make_object<Aligned>());
    if (reinterpret_cast<uintptr_t>(objects.back()->data) % 64 != 0) ++wrong;
    if (objects.size() > 100) objects.clear();
  }
  return wrong;
}
TVM_FFI_DLL_EXPORT_TYPED_FUNC(churn, Churn);
TVM_FFI_STATIC_INIT_BLOCK() { ffi::reflection::ObjectDef<Aligned>(); }
"""


@pytest.fixture
def build(builder: Builder, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that builds a source with a toolchain, or what is left of it, and gives the library."""

    def make(
        tag: str, source: str, arguments: str = "", options: Sequence[str] = (), **change: tuple[str, str]
    ) -> Path:
        project = tmp_path / "project"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(HARD, project)
        (project / "CMakeLists.txt").write_text(CMAKE.format(arguments=arguments), encoding="utf-8")
        (project / "trap.cc").write_text(source, encoding="utf-8")
        said = builder("toolchain", "--platform", tag, "-o", tmp_path / "toolchain").stdout
        toolchain = tmp_path / "toolchain/toolchain.cmake"
        assert said == f"{toolchain}\n"
        for before, after in change.values():
            changed = 0
            for script in (tmp_path / "toolchain").iterdir():
                text = script.read_text(encoding="utf-8") if script.is_file() else ""
                if before in text:
                    script.write_text(text.replace(before, after), encoding="utf-8")
                    changed += 1
            assert changed, before
        folder = builder.cmake(project, toolchain, *options)
        (library,) = [path for path in folder.iterdir() if path.suffix in {".so", ".dll", ".dylib"}]
        return library

    return make


@pytest.fixture
def caught(environment: Environment) -> Callable[[Path], list[str]]:
    """Return a function that gives who caught what, in a library for this machine."""
    environment.install("apache-tvm-ffi==0.1.15.post2")

    def ask(library: Path) -> list[str]:
        code = f"import tvm_ffi; m = tvm_ffi.load_module({str(library)!r}); print([m.caught(k) for k in range(4)])"
        answer: list[str] = eval(environment.run("-c", code))  # noqa: S307
        return answer

    return ask


def test_a_base_class_catches_the_runtimes_errors(
    build: Callable[..., Path], caught: Callable[[Path], list[str]]
) -> None:
    source = (HARD / "open.cc").read_text(encoding="utf-8")
    everything = 'EXPORT "*"'
    right = ["exception range", "exception mine", "Error value", "42"]
    assert caught(build("manylinux_2_24_x86_64", source, everything)) == right
    without = build("manylinux_2_24_x86_64", source, everything, bind=(" -Wl,-Bsymbolic", ""))
    assert caught(without) == ["exception range", "exception mine", "passed by", "42"]
    # The list of exports does it as well.
    assert caught(build("manylinux_2_24_x86_64", source, bind=(" -Wl,-Bsymbolic", ""))) == right


def test_memory_is_freed_by_what_belongs_to_its_allocation(
    build: Callable[..., Path], on_windows: Callable[..., str], tmp_path: Path
) -> None:
    ask = "import tvm_ffi\nprint(tvm_ffi.load_module({!r}).churn(500))"
    library = build("win_amd64", CHURN)
    said = on_windows(ask.format(f"Z:{library}"), "apache-tvm-ffi", debug="warn+heap")
    assert re.search(r"^0\r?$", said, re.MULTILINE)
    assert "invalid block" not in said
    (tmp_path / "naive.h").write_text(NAIVE, encoding="utf-8")
    header = f"{tmp_path}/toolchain/windows_gnu.h"
    library = build("win_amd64", CHURN, naive=(f"-include {header}", f"-include {tmp_path}/naive.h"))
    said = on_windows(ask.format(f"Z:{library}"), debug="warn+heap")
    assert "invalid block" in said
    with pytest.raises(AssertionError, match="undeclared identifier 'posix_memalign'"):
        build("win_amd64", CHURN, none=(f"-include {header}", ""))


def test_libraries_are_stripped(build: Callable[..., Path]) -> None:
    source = (HARD / "open.cc").read_text(encoding="utf-8")
    assert build("manylinux_2_24_x86_64", source).stat().st_size < 1_000_000
    assert build("win_amd64", source).stat().st_size < 1_000_000
    assert build("macosx_11_0_arm64", source).stat().st_size < 1_000_000


DEBUG = "-DCMAKE_BUILD_TYPE=Debug"
SMALL = "-DCMAKE_BUILD_TYPE=MinSizeRel"
WHOLE_PROGRAM = "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON"


# For each of these, zig compiles its C++ library anew, which takes a minute: each option and each platform is here, and
# each pair that needs something from the toolchain. Only Linux has nothing to add.
@pytest.mark.parametrize(
    ("tag", "option"),
    [
        ("manylinux_2_24_x86_64", SMALL),
        ("macosx_11_0_arm64", DEBUG),
        ("macosx_11_0_arm64", WHOLE_PROGRAM),
        ("win_amd64", DEBUG),
        ("win_amd64", WHOLE_PROGRAM),
    ],
)
def test_build_types_and_optimisation_of_the_whole_program(
    build: Callable[..., Path],
    on_windows: Callable[..., str],
    caught: Callable[[Path], list[str]],
    tag: str,
    option: str,
) -> None:
    """CMake's Debug has no ``-O``, and without one zig checks for undefined behaviour."""
    source = (HARD / "open.cc").read_text(encoding="utf-8")
    runs(build(tag, source, options=[option]), on_windows, caught)


@pytest.mark.parametrize("tag", ["macosx_11_0_arm64", "win_amd64"])
def test_what_the_toolchain_adds_is_needed(build: Callable[..., Path], tag: str) -> None:
    source = (HARD / "open.cc").read_text(encoding="utf-8")
    with pytest.raises(AssertionError, match="__ubsan_handle"):
        build(tag, source, options=[DEBUG], none=(" -fno-sanitize=undefined", ""))
    with pytest.raises(AssertionError, match=r"LTO requires|undefined symbol: wmem"):
        build(tag, source, options=[WHOLE_PROGRAM], none=("  -flto*) continue ;;\n", ""))


def runs(library: Path, on_windows: Callable[..., str], caught: Callable[[Path], list[str]]) -> None:
    """Check that a library works, if it can be run here."""
    right = ["exception range", "exception mine", "Error value", "42"]
    if library.suffix == ".so":
        assert caught(library) == right
    elif library.suffix == ".dll":
        ask = (
            f"import tvm_ffi\nm = tvm_ffi.load_module({'Z:' + str(library)!r})\nprint([m.caught(k) for k in range(4)])"
        )
        assert str(right) in on_windows(ask, "apache-tvm-ffi")


def test_only_what_is_asked_for_is_exported_on_macos(build: Callable[..., Path]) -> None:
    visible = 'extern "C" __attribute__((visibility("default"))) int {0}(void);\nint {0}(void) {{ return 1; }}\n'
    source = (HARD / "open.cc").read_text(encoding="utf-8") + visible.format("more") + visible.format("other")

    def exports(arguments: str) -> set[str]:
        (image,) = read_binary(build("macosx_11_0_arm64", source, arguments)).images
        return {symbol.name for symbol in image.exports if not re.match(r"_Z(n|d)[wal]|__dso_handle|_mh_", symbol.name)}

    assert exports("") == {"__tvm_ffi_caught"}
    assert exports("EXPORT mor*") == {"__tvm_ffi_caught", "more"}
    assert exports('EXPORT "*"') == {"__tvm_ffi_caught", "more", "other"}


def test_a_build_folder_of_the_projects_own_is_left_alone(builder: Builder, tmp_path: Path) -> None:
    project = tmp_path / "c_only"
    shutil.copytree(ROOT / "tests/packages/c_only", project)
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.scikit-build]\nbuild-dir = "build"\n')
    builder("wheel", project, "-w", tmp_path / "out", "--platform", "win_amd64", "--platform", "macosx_11_0_arm64")
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert not (project / "build").exists()


def test_split_debug_information(builder: Builder, tmp_path: Path, installed: Callable[..., str]) -> None:
    installed(lambda: shutil.which("llvm-objcopy") or shutil.which("llvm-objcopy-14"), "llvm")
    project = tmp_path / "c_only"
    shutil.copytree(ROOT / "tests/packages/c_only", project)
    path = project / "CMakeLists.txt"
    path.write_text(
        path.read_text(encoding="utf-8")
        .replace("DESTINATION c_only)\n", "DESTINATION c_only SPLIT_DEBUG ON)\n")
        .replace("TARGETS c_only DESTINATION c_only SPLIT_DEBUG ON", "TARGETS c_only DESTINATION c_only")
    )
    builder("wheel", project, "-w", tmp_path / "out", "--platform", "manylinux_2_24_aarch64")
    (wheel,) = (tmp_path / "out").iterdir()
    shutil.unpack_archive(wheel, tmp_path / "unpacked", "zip")
    (debug,) = (tmp_path / "unpacked").rglob("*.debug")
    assert ".debug_info" in run("readelf", "-SW", debug).stdout
    (library,) = (tmp_path / "unpacked").rglob("*.so")
    assert ".gnu_debuglink" in run("readelf", "-SW", library).stdout
