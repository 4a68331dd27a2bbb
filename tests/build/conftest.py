"""Fixtures of the tests that run compilers and build front ends."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.downloads import install_to
from support.processes import command_line, run
from support.project import ROOT

from tvm_ffi_build.config import cmake_dir
from tvm_ffi_build.runtime import OLDEST_SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.environments import Environment


@pytest.fixture(scope="session")
def zoo(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a project of many kinds of functions and classes, built with plain CMake, its stubs begun from nothing."""

    def fill(folder: Path) -> None:
        shutil.copytree(ROOT / "tests" / "packages" / "zoo", folder / "zoo")
        run(
            *command_line(
                "cmake -G Ninja -S {zoo} -B {build} -Dtvm_ffi_DIR={cmake_dir} -DPython_EXECUTABLE={python}",
                zoo=folder / "zoo",
                build=folder / "zoo/build",
                cmake_dir=cmake_dir(),
                python=sys.executable,
            )
        )
        run("cmake", "--build", folder / "zoo/build")

    return once("zoo", fill) / "zoo"


@pytest.fixture
def equipped(prepared: Callable[..., Environment]) -> Environment:
    """Return an environment for builds without isolation, and for the tests of what they build."""
    tools = ("pip", "build", "scikit-build-core", "cmake", "ninja")
    return prepared(*tools, "numpy", "pytest", "-e", f"{ROOT}[wheel]")


@pytest.fixture(scope="session")
def nvcc(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the path of CUDA's compiler: this machine's, or of its wheel."""
    here = shutil.which(os.environ.get("CUDACXX") or "nvcc")
    if here:
        return Path(here)

    def fill(folder: Path) -> None:
        install_to(folder, "nvidia-cuda-nvcc>=13")

    (path,) = once("nvcc", fill).glob("nvidia/*/bin/nvcc")
    return path


@pytest.fixture(scope="session")
def oldest_runtime(unpacked_runtime: Callable[..., Path]) -> Path:
    """Return a folder with the oldest runtime that can be built against."""
    return unpacked_runtime(OLDEST_SUPPORTED)


@pytest.fixture(scope="session")
def old_cmake(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], str]:
    """Return a function that gives the path of a CMake of an old version."""

    def get(version: str) -> str:
        def fill(folder: Path) -> None:
            install_to(folder, f"cmake=={version}")

        return str(once(f"cmake-{version}", fill) / "cmake/data/bin/cmake")

    return get


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that returns an empty directory on a file system of a size such as ``32k``; needs root."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        folder = tmp_path / f"disk-{size}"
        folder.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        run("umount", folder)
