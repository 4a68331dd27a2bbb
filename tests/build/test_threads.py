"""The program that ``tests/pythons/every_python.py`` runs on a free-threaded Python, on the Python of the tests."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ROOT / "tests" / "pythons" / "call_from_threads.py"


@pytest.fixture
def libraries(zoo: Path, example_wheel: Path, tmp_path: Path) -> list[Path]:
    """Return the libraries of the runtime, the example and the zoo."""
    shutil.unpack_archive(example_wheel, tmp_path, "zip")
    (example,) = tmp_path.rglob("libmy_ffi_extension.so")
    (built,) = (zoo / "build").glob("libzoo.so")
    return [find_runtime().library, example, built]


def test_eight_threads_call_the_libraries_without_the_python_package(libraries: list[Path]) -> None:
    assert run(sys.executable, SCRIPT, *libraries, "--rounds", "5").stdout == "720 calls from 8 threads\n"


def test_a_function_that_is_missing_is_noticed(libraries: list[Path]) -> None:
    runtime, example, _ = libraries
    done = run(sys.executable, SCRIPT, runtime, example, example, "--rounds", "1", ok=False)
    assert done.returncode == 1
    assert "__tvm_ffi_exported" in done.stderr


def test_a_python_with_a_gil_is_noticed(libraries: list[Path]) -> None:
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    done = run(sys.executable, SCRIPT, *libraries, "--rounds", "1", "--free-threaded", ok=False)
    assert (done.returncode, "the GIL is on" in done.stderr) == (int(has_gil), has_gil)
