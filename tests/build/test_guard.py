"""The guard of the loader: a runtime that the library is known to fail on is refused in a sentence, before it crashes."""

from __future__ import annotations

import re
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from conftest import EXAMPLE, copy_project, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Environment

# Needs a function that the C ABI has since 0.1.14.post0.
SOURCE = """#include <tvm/ffi/tvm_ffi.h>
static int64_t Needs() {
  void* volatile function = reinterpret_cast<void*>(&TVMFFIBigIntFromByteArray);
  return function != nullptr;
}
TVM_FFI_DLL_EXPORT_TYPED_FUNC(needs, Needs);
"""


@pytest.fixture(scope="session")
def demanding_wheel(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Build a project with our loader, whose library works with new runtimes only."""

    def fill(folder: Path) -> None:
        project = folder / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["scikit-build-core>=1.0", "tvm-ffi-build"]\n'
            'build-backend = "scikit_build_core.build"\n[project]\nname = "demanding"\nversion = "1.0"\n'
            'dynamic = ["dependencies"]\n[[tool.dynamic-metadata]]\nprovider = "tvm-ffi-build"\n',
            encoding="utf-8",
        )
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.18...4.0)\nproject(demanding LANGUAGES CXX)\n"
            "find_package(tvm_ffi CONFIG REQUIRED)\nadd_library(demanding SHARED demanding.cc)\n"
            "tvm_ffi_configure_target(demanding METADATA ON STUB_DIR python STUB_INIT ON)\n"
            "install(TARGETS demanding DESTINATION demanding)\ntvm_ffi_install(demanding DESTINATION demanding)\n",
            encoding="utf-8",
        )
        (project / "demanding.cc").write_text(SOURCE, encoding="utf-8")
        run(sys.executable, "-m", "tvm_ffi_build", "wheel", project, "-w", folder)

    (wheel,) = once("demanding", fill).glob("*.whl")
    return wheel


def test_an_old_runtime_is_refused_in_one_sentence(demanding_wheel: Path, environment: Environment) -> None:
    environment.install("pip", "apache-tvm-ffi==0.1.12")
    environment.install("--no-deps", demanding_wheel)
    said = environment.run("-c", "import demanding", ok=False).splitlines()
    assert re.fullmatch(
        r"ImportError: demanding does not work with apache-tvm-ffi 0\.1\.12 \(libdemanding\.so needs "
        r"TVMFFIBigIntFromByteArray\); run: \S+ -m pip install 'apache-tvm-ffi>=0\.1\.14\.post0,<0\.2'",
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


def test_who_has_no_such_loader_gets_no_such_module(tmp_path: Path, package: Callable[[str], Path]) -> None:
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", package("minimal"), "-w", tmp_path / "out")
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
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", project, "-w", tmp_path / "out")
    (wheel,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith("_runtime.py")]
