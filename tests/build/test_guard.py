"""The guard of the loader: it refuses a runtime that the library is known to fail on before the process crashes."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.commands import run_command
from support.project import EXAMPLE, copy_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

# Needs a function that the C ABI has since 0.1.14.post0.
SOURCE = """#include <tvm/ffi/c_api.h>
extern "C" TVM_FFI_DLL_EXPORT int __tvm_ffi_needs(void*, const TVMFFIAny*, int32_t, TVMFFIAny* result) {
  void* volatile function = reinterpret_cast<void*>(&TVMFFIBigIntFromByteArray);
  result->type_index = kTVMFFIInt;
  result->v_int64 = function != nullptr;
  return 0;
}
"""


# What a library beside it defines in the runtime's namespace.
TRAITS = """#include <cstdint>
namespace tvm { namespace ffi { namespace mine { int64_t Doubled(int64_t value) { return 2 * value; } } } }
"""
USES_TRAITS = """#include <tvm/ffi/c_api.h>
namespace tvm { namespace ffi { namespace mine { int64_t Doubled(int64_t value); } } }
extern "C" TVM_FFI_DLL_EXPORT int __tvm_ffi_doubled(void*, const TVMFFIAny* args, int32_t count, TVMFFIAny* result) {
  if (count != 1) {
    TVMFFIErrorSetRaisedFromCStr("TypeError", "doubled takes a number");
    return -1;
  }
  result->type_index = kTVMFFIInt;
  result->v_int64 = tvm::ffi::mine::Doubled(args[0].v_int64);
  return 0;
}
"""


@pytest.fixture(scope="session")
def demanding_wheel(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Build a project with our loader, whose library works with new runtimes only."""

    def fill(folder: Path) -> None:
        write_project(folder / "project", "demanding", SOURCE)
        run_command("wheel", "--no-isolation", folder / "project", "-w", folder, ok=True)

    (wheel,) = once("demanding", fill).glob("*.whl")
    return wheel


def write_project(project: Path, name: str, source: str, *lines: str) -> None:
    """Write a project of one library with our loader; lines of CMake may add to it."""
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["scikit-build-core>=1.0", "tvm-ffi-build"]\n'
        f'build-backend = "scikit_build_core.build"\n[project]\nname = "{name}"\nversion = "1.0"\n'
        'dynamic = ["dependencies"]\n[[tool.dynamic-metadata]]\nprovider = "tvm-ffi-build"\n',
        encoding="utf-8",
    )
    (project / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.18...4.0)\nproject({name} LANGUAGES CXX)\n"
        f"find_package(tvm_ffi CONFIG REQUIRED)\nadd_library({name} SHARED {name}.cc)\n"
        + "".join(f"{line}\n" for line in lines)
        + f"tvm_ffi_configure_target({name} METADATA ON STUB_DIR python STUB_INIT ON)\n"
        f"install(TARGETS {name} DESTINATION {name})\ntvm_ffi_install({name} DESTINATION {name})\n",
        encoding="utf-8",
    )
    (project / f"{name}.cc").write_text(source, encoding="utf-8")


def test_an_old_runtime_is_refused_in_one_sentence(demanding_wheel: Path, prepared: Callable[..., Environment]) -> None:
    environment = prepared("pip", "apache-tvm-ffi==0.1.12")
    environment.install("--no-deps", demanding_wheel)
    said = environment.run("-c", "import demanding", ok=False).splitlines()
    assert re.fullmatch(
        r"ImportError: demanding does not work with apache-tvm-ffi 0\.1\.12 \(libdemanding\.so needs "
        r"TVMFFIBigIntFromByteArray\); run: .+ -m pip install 'apache-tvm-ffi>=0\.1\.14\.post0,<0\.2'",
        said[-1],
    )
    advice = said[-1].rpartition("run: ")[2].partition(" -m ")[2].replace("'", "").split()
    environment.run("-m", *advice)
    assert environment.run("-c", "import demanding; print(demanding.LIB.needs())").strip() == "1"


def test_without_the_guard_it_is_the_first_call_that_ends_the_process(
    demanding_wheel: Path, environment: Environment
) -> None:
    """So the guard is worth its lines."""
    environment.install("apache-tvm-ffi==0.1.12")
    environment.install("--no-deps", demanding_wheel)
    (guard,) = environment.site_packages.glob("demanding/_demanding_runtime.py")
    guard.unlink()
    said = environment.run("-c", "import demanding; print(demanding.LIB.needs()); print('survived')", ok=False)
    assert "survived" not in said


@pytest.mark.parametrize("fails_on", ["{}", "{'99.9': 'nobody knows that one'}"])
def test_a_runtime_that_is_not_known_to_fail_is_never_in_the_way(
    example_wheel: Path, environment: Environment, fails_on: str
) -> None:
    environment.install(example_wheel)
    (guard,) = environment.site_packages.glob("my_ffi_extension/_my_ffi_extension_runtime.py")
    guard.write_text(f"WORKS_WITH = ''\nFAILS_ON = {fails_on}\n", encoding="utf-8")
    environment.run("-c", "import my_ffi_extension")


def test_a_runtime_of_a_later_date_is_never_in_the_way(example_wheel: Path, environment: Environment) -> None:
    environment.install(example_wheel)
    environment.run("-c", "import tvm_ffi; tvm_ffi.__version__ = '0.1.99'; import my_ffi_extension")


def test_what_only_a_library_beside_it_has_is_never_in_the_way(tmp_path: Path, environment: Environment) -> None:
    """When it is linked, nobody knows what will lie beside it; its record is true all the same."""
    project = tmp_path / "project"
    write_project(
        project,
        "doubling",
        USES_TRAITS,
        "add_library(traits SHARED traits.cc)",
        "target_link_libraries(doubling PRIVATE traits)",
        "install(TARGETS traits DESTINATION doubling)",
    )
    (project / "traits.cc").write_text(TRAITS, encoding="utf-8")
    done = run_command("wheel", "--no-isolation", project, "-w", tmp_path, ok=True)
    (wheel,) = tmp_path.glob("*.whl")
    environment.install(wheel)
    assert environment.run("-c", "import doubling; print(doubling.LIB.doubled(21))").strip() == "42"
    assert "R2" not in done.stdout
    found = json.loads(run_command("contract", "--json", wheel).stdout)
    assert found["artifacts"][0]["requires"] == ">=0.1.0,<0.2"


def test_who_has_no_such_loader_gets_no_such_module(tmp_path: Path, package: Callable[[str], Path]) -> None:
    run_command("wheel", "--no-isolation", "--no-repair", package("minimal"), "-w", tmp_path / "out", ok=True)
    (wheel,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith("_runtime.py")]


def test_the_guard_can_be_switched(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "checkout") / EXAMPLE.relative_to(EXAMPLE.parents[1])
    lists = project / "CMakeLists.txt"
    text = lists.read_text(encoding="utf-8")
    changed = re.sub(r"(tvm_ffi_install\(\w+ DESTINATION [\w.]+)\)", r"\1 GUARD OFF)", text)
    assert changed != text
    lists.write_text(changed, encoding="utf-8")
    run_command("wheel", "--no-isolation", "--no-repair", project, "-w", tmp_path / "out", ok=True)
    (wheel,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith("_runtime.py")]
