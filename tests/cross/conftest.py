"""Fixtures of the tests that cross-compile."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from interpreters import Interpreter, require_programs, unpack_for_aarch64
from support.processes import command_line, run
from support.project import EXAMPLE
from windows_python import WindowsPython, make_windows_python

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Builder


# The newest that wine 8 has all functions for.
NUMPY_ON_WINE = "numpy==2.1.3"


@pytest.fixture(scope="session")
def all_wheels(once: Callable[[str, Callable[[Path], None]], Path], builder: Builder) -> Path:
    """Return a folder with the example's wheels for every platform of the runtime, and what was said."""

    def fill(folder: Path) -> None:
        shutil.copytree(EXAMPLE, folder / "source")
        done = builder("wheel", folder / "source", "-w", folder / "wheels", "--platform", "all")
        (folder / "said").write_text(done.stdout, encoding="utf-8")

    return once("all-wheels", fill)


@pytest.fixture(scope="session")
def wheel_for(all_wheels: Path) -> Callable[[str], Path]:
    """Return a function that gives one of them, by the end of its platform tag."""

    def get(end: str) -> Path:
        (wheel,) = (all_wheels / "wheels").glob(f"*{end}.whl")
        return wheel

    return get


@pytest.fixture(scope="session")
def windows(once: Callable[[str, Callable[[Path], None]], Path], installed: Callable[..., str]) -> WindowsPython:
    """Return a Windows CPython 3.13."""
    installed(lambda: shutil.which("wine"), "wine", "wine64")
    return WindowsPython(once("windows-python", make_windows_python))


@pytest.fixture(scope="session")
def wheels_for_windows(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with the runtime and what tests need, for Windows."""

    def fill(folder: Path) -> None:
        run(
            *command_line(
                "{python} -m pip -q download --only-binary :all: --platform win_amd64 --python-version "
                "3.13 apache-tvm-ffi=={version} {NUMPY_ON_WINE} pytest colorama -d {folder}",
                python=sys.executable,
                version=find_runtime().version,
                NUMPY_ON_WINE=NUMPY_ON_WINE,
                folder=folder,
            )
        )

    return once("wheels-for-windows", fill)


@pytest.fixture
def on_windows(windows: WindowsPython, wheels_for_windows: Path, tmp_path: Path) -> Callable[..., str]:
    """Return a function that installs wheels there by pip, runs some code, and gives what that says."""

    def say(code: str, *wheels: Path | str, debug: str = "-all") -> str:
        site = tmp_path / "site"
        if wheels:
            windows.run(
                "-m",
                "pip",
                "install",
                "-q",
                "--no-index",
                "--find-links",
                wheels_for_windows,
                "--target",
                site,
                *wheels,
            )
        script = tmp_path / "script.py"
        script.write_text(f"import sys\nsys.path.insert(0, {'Z:' + str(site)!r})\n{code}", encoding="utf-8")
        return windows.run(script, WINEDEBUG=debug)

    return say


@pytest.fixture(scope="session")
def aarch64(once: Callable[[str, Callable[[Path], None]], Path]) -> Interpreter:
    """Return a CPython 3.11 for aarch64 Linux, with pip, pytest, numpy and the runtime."""
    require_programs({"qemu-aarch64-static": "qemu-user-static"})

    def fill(folder: Path) -> None:
        site = unpack_for_aarch64("3.11", folder).root / "usr/lib/python3/dist-packages"
        run(
            *command_line(
                "uv pip install -q --python {python} --python-version 3.11 --target {site} "
                "--python-platform aarch64-manylinux_2_28 --only-binary :all: apache-tvm-ffi=={version} "
                "numpy pytest pip",
                python=sys.executable,
                site=site,
                version=find_runtime().version,
            )
        )

    folder = once("aarch64-python", fill)
    root = folder / "root"
    emulator = ("qemu-aarch64-static", "-L", str(root))
    return Interpreter("3.11", f"{root}/usr/bin/python3.11", folder, str(folder), root, emulator)
