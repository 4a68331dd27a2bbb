"""Windows wheels that need grafting: built by zig, repaired on Linux, and run by a Windows CPython under wine."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from support.downloads import download_wheels
from support.grafting import LOADER, names_in, unpack
from support.processes import run
from windows_python import WindowsPython, make_windows_python

from tvm_ffi_build.binaries import read_binary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.grafting import Platform, Sample

pytestmark = pytest.mark.slow

RUNTIME = "0.1.15.post2"
TAG = "py3-none-win_amd64"


@pytest.fixture
def sample(windows: Platform, built_for: Callable[[Platform], Sample]) -> Sample:
    """Return a wheel whose package has the generated loader."""
    return built_for(windows)


@pytest.fixture
def without_loader(sample: Sample, tmp_path: Path) -> Sample:
    return sample.in_wheel(tmp_path, TAG, {"sample/__init__.py": "", "sample/sample.dll": sample.extension})


@pytest.fixture(scope="session")
def windows_python(once: Callable[[str, Callable[[Path], None]], Path], installed: Callable[..., str]) -> WindowsPython:
    """Return a Windows CPython."""
    installed(lambda: shutil.which("wine"), "wine", "wine64")
    return WindowsPython(once("windows-python", make_windows_python))


@pytest.fixture(scope="session")
def runtimes(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with the runtime's wheel for Windows, and what it requires."""

    def fill(folder: Path) -> None:
        runtime = f"apache-tvm-ffi=={RUNTIME}"
        download_wheels(folder, runtime, platform="win_amd64", python="3.13", dependencies=True)

    return once("windows-runtime", fill)


@pytest.fixture
def said_on_windows(windows_python: WindowsPython, runtimes: Path, tmp_path: Path) -> Callable[[Path, str], str]:
    """Return a function that installs a wheel by pip there, runs some code, and gives what that says."""

    def say(wheel: Path, code: str) -> str:
        windows_python.run(
            "-m", "pip", "install", "-q", "--no-index", "--find-links", runtimes, "--target", tmp_path / "site", wheel
        )
        script = tmp_path / "script.py"
        script.write_text(
            f"import sys\nsys.path.insert(0, {'Z:' + str(tmp_path / 'site')!r})\n{code}", encoding="utf-8"
        )
        return windows_python.run(script)

    return say


def libraries_in(wheel: Path) -> list[str]:
    return [name for name in names_in(wheel) if re.search(r"\.(dll|lib|pdb|pyd)$", name)]


def test_the_library_is_in_the_wheel_and_nothing_of_the_runtime_is(sample: Sample, tmp_path: Path) -> None:
    wheel = sample.repaired(tmp_path / "out")
    assert wheel.name == sample.wheel.name
    helper, extension = libraries_in(wheel)
    assert re.fullmatch(r"sample\.libs/helper-[0-9a-f]+\.dll", helper)
    assert extension == "sample/sample.dll"
    needed = read_binary(unpack(wheel, tmp_path / "unpacked") / extension).libraries
    assert needed == (helper.rpartition("/")[2], "tvm_ffi.dll")


def test_what_the_generated_loader_loads_works_on_windows(
    sample: Sample, tmp_path: Path, said_on_windows: Callable[[Path, str], str]
) -> None:
    wheel = sample.repaired(tmp_path / "out")
    assert said_on_windows(wheel, "from sample._library import LIB\nprint(LIB.scale(4))") == "40\n"


def test_a_wheel_with_the_generated_loader_is_not_warned_about(sample: Sample, tmp_path: Path) -> None:
    done = sample.repair(tmp_path / "out", "--no-audit")
    assert done.stderr == ""


def test_what_a_wheel_without_a_loader_is_warned_of_happens_and_the_advice_helps(
    without_loader: Sample, tmp_path: Path, said_on_windows: Callable[[Path, str], str]
) -> None:
    done = without_loader.repair(tmp_path / "out", "--no-audit")
    assert done.stderr == (
        f"warning: {without_loader.wheel.name}: tvm_ffi.load_module will not find helper.dll, "
        "since it looks nowhere for what an extension needs; "
        "load the extension by ctypes.CDLL before, as the loader that stubgen writes does\n"
    )
    (wheel,) = (tmp_path / "out").iterdir()
    load = "import sample, tvm_ffi\npath = sample.__file__.replace('__init__.py', 'sample.dll')\n"
    load_module = "print(tvm_ffi.load_module(path).scale(4))\n"
    without = f"try:\n    {load_module}except RuntimeError as error:\n    print(type(error).__name__)\n"
    said = said_on_windows(wheel, f"{load}{without}import ctypes\nctypes.CDLL(path)\n{load_module}")
    assert said == "RuntimeError\n40\n"


def test_a_namespace_package_stays_one(
    sample: Sample, tmp_path: Path, said_on_windows: Callable[[Path, str], str]
) -> None:
    package = {"__init__.py": "", "_library.py": LOADER, "sample.dll": sample.extension}
    files = {f"acme/kernels/{name}": file for name, file in package.items()}
    files |= {"acme/data/table.txt": "", "include/sample.h": ""}
    result = sample.in_wheel(tmp_path, TAG, files).repaired(tmp_path / "out")
    assert [name for name in names_in(result) if name.endswith("__init__.py")] == ["acme/kernels/__init__.py"]
    assert said_on_windows(result, "from acme.kernels._library import LIB\nprint(LIB.scale(4))") == "40\n"


def test_an_extension_module_of_one_python_keeps_its_tag(sample: Sample, tmp_path: Path) -> None:
    files = {"sample.cp313-win_amd64.pyd": sample.extension}
    other = sample.in_wheel(tmp_path, "cp313-cp313-win_amd64", files)
    result = other.repaired(tmp_path / "out")
    assert result.name == other.wheel.name
    assert len(libraries_in(result)) == 2


def test_the_specs_line_looks_at_nothing_and_stops(without_loader: Sample, tmp_path: Path) -> None:
    """At its own output folder; with another one it copies the wheel as it is."""
    (tmp_path / "dist").mkdir()
    shutil.copy(without_loader.wheel, tmp_path / "dist")
    line = ["-m", "delvewheel", "repair", "--exclude", "tvm_ffi.dll", "-w", "dist"]
    done = run(sys.executable, *line, f"dist/{without_loader.wheel.name}", ok=False, cwd=tmp_path)
    assert "no external dependencies are needed" in done.stdout
    assert "SameFileError" in done.stderr
    run(sys.executable, *line[:-1], "out", f"dist/{without_loader.wheel.name}", cwd=tmp_path)
    assert (tmp_path / "out" / without_loader.wheel.name).read_bytes() == without_loader.wheel.read_bytes()
