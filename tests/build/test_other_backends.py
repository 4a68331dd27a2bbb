"""The examples for other build backends than scikit-build-core's own: built, audited, installed and run."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from support.commands import run_command
from support.errors import last_error
from support.processes import build_configured, run
from support.project import ROOT

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.contract.evidence.build_record import recorded_runtime
from tvm_ffi_build.contract.requirement import runtime_requirement
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from support.environments import Environment

    Configure = Callable[..., subprocess.CompletedProcess[str]]

EXAMPLES = ROOT / "examples"
BUILT_AGAINST = Requirement(runtime_requirement(find_runtime().version))
WRITTEN = Requirement("apache-tvm-ffi>=0.1.10,<0.2")


def example(name: str, folder: Path) -> Path:
    """Copy an example, so that no build leaves anything in this checkout."""
    return Path(shutil.copytree(EXAMPLES / name, folder / name))


def tvm_ffi_build(*arguments: str | Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
    return run_command(*arguments, ok=ok)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.splitlines()[-1]


def shown(readme: Path) -> tuple[str, str]:
    """Return what a README types to use the example, and what it says that this answers."""
    ((command, answer),) = re.findall(r"^\$ python (.*)\n(.*)\n```$", readme.read_text("utf-8"), re.MULTILINE)
    return command, answer


def requirements(wheel: Path) -> list[Requirement]:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return [Requirement(text) for text in message_from_bytes(archive.read(metadata)).get_all("Requires-Dist", [])]


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("setuptools", BUILT_AGAINST),
        pytest.param("hatchling", WRITTEN, marks=pytest.mark.slow),
        pytest.param("meson_python", WRITTEN, marks=pytest.mark.slow),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_wheel_is_for_every_python_clean_and_works(
    name: str, requirement: Requirement, tmp_path: Path, environment: Environment
) -> None:
    tvm_ffi_build("wheel", example(name, tmp_path), "-w", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").iterdir()
    assert "-py3-none-manylinux_" in wheel.name
    assert requirements(wheel) == [requirement]
    audited = tvm_ffi_build("audit", "--strict", wheel)
    assert audited.stdout.splitlines()[-1].partition(": ")[2].startswith("clean")
    with zipfile.ZipFile(wheel) as archive:
        (library,) = [name for name in archive.namelist() if name.endswith(".so")]
        assert recorded_runtime(archive.read(library)) == find_runtime().version
    environment.install(wheel, "numpy")
    (command, answer) = shown(EXAMPLES / name / "README.md")
    code = re.fullmatch(r'-c "(.*)"', command)
    assert code
    assert environment.run("-c", code[1]) == f"{answer}\n"
    # Before the runtime was imported: the run path leads to it.
    (installed,) = environment.site_packages.rglob(library.rpartition("/")[2])
    environment.run("-c", f"import ctypes; ctypes.CDLL({str(installed)!r})")


@pytest.mark.slow
def test_plain_cmake(tmp_path: Path, environment: Environment) -> None:
    """By the commands of its README, in an environment that has nothing else."""
    source = example("plain_cmake", tmp_path)
    environment.install("-e", ROOT, "numpy")
    commands = re.findall(r"^\$ (.*)$", (source / "README.md").read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 4
    path = os.pathsep.join([str(environment.path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    for command in commands:
        done = run("bash", "-c", command, cwd=source, env={**os.environ, "PATH": path})
    assert done.stdout == "[3. 3.]\n"
    library = environment.site_packages / "my_ffi_cmake/libmy_ffi_cmake.so"
    assert tvm_ffi_build("audit", "--strict", library).stdout.splitlines()[-1].partition(": ")[2].startswith("clean")
    environment.run("-c", f"import ctypes; ctypes.CDLL({str(library)!r})")


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


CALLS_PYTHON = ("#include <tvm/ffi/tvm_ffi.h>", '#include <tvm/ffi/tvm_ffi.h>\nextern "C" int PyErr_CheckSignals();')


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file", "changes", "code", "says"),
    [
        # A backend without its CMake support, one way or another.
        (
            "hatchling",
            "pyproject.toml",
            [("[tool.hatch.build.targets.wheel.hooks.scikit-build]", "[tool.other]")],
            3,
            (
                r"my_ffi_hatchling-0\.1\.0-py3-none-any\.whl holds no library; "
                r'hatchling runs CMake with "scikit-build-core\[hatchling\]"'
            ),
        ),
        (
            "setuptools",
            "setup.py",
            [('    cmake_source_dir=".",\n', "")],
            3,
            r'holds no library; setuptools runs CMake with .* and setup\(cmake_source_dir="\."\)',
        ),
        (
            "meson_python",
            "meson.build",
            [("  cmake_module_path: cmakedir,\n", "")],
            3,
            (
                r'meson\.build:5:10: Dependency "tvm_ffi" not found \(tried cmake\); '
                r'add "cmake" to build-system\.requires, and pass'
            ),
        ),
        (
            "meson_python",
            "meson.build",
            [("  install: true,\n", "")],
            3,
            r"holds no library; write shared_library\(\.\.\., install: true\) in meson\.build",
        ),
        # The limited API is one of CPython.
        (
            "setuptools",
            "setup.py",
            [("    cmdclass", '    options={"bdist_wheel": {"py_limited_api": "cp39"}},\n    cmdclass')],
            3,
            "py_limited_api is 'cp39', but a wheel that is py3 needs no API of CPython at all; take it out",
        ),
        # A tag that is not true.
        (
            "setuptools",
            "src/scale.cc",
            [CALLS_PYTHON, ("auto* data", "PyErr_CheckSignals();\n  auto* data")],
            3,
            r"libmy_ffi_setuptools\.so calls into CPython \(PyErr_CheckSignals\), .*; take Py3Wheel out of setup\.py",
        ),
        (
            "hatchling",
            "src/scale.cc",
            [CALLS_PYTHON, ("auto* data", "PyErr_CheckSignals();\n  auto* data")],
            3,
            r"libmy_ffi_hatchling\.so calls into CPython",
        ),
        # A requirement that is not.
        (
            "hatchling",
            "pyproject.toml",
            [(">=0.1.10,<0.2", ">=0.1.0")],
            3,
            (
                r"the wheel requires apache-tvm-ffi>=0\.1\.0 and fails on \.\.0\.1\.5 \(.*\); "
                r'write .* or "apache-tvm-ffi>=0\.1\.6,<0\.2" in the dependencies of \[project\]'
            ),
        ),
    ],
)
def test_what_goes_wrong_is_one_line(
    name: str, file: str, changes: list[tuple[str, str]], code: int, says: str, tmp_path: Path
) -> None:
    source = example(name, tmp_path)
    edit(source / file, *changes)
    done = tvm_ffi_build("wheel", source, "-w", tmp_path / "dist", ok=False)
    assert done.returncode == code
    assert re.search(says, last_error(done.stderr)), done.stderr
    assert list((tmp_path / "dist").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["setuptools", "hatchling", "meson_python"])
def test_a_wheel_can_be_built_from_the_sdist(name: str, tmp_path: Path, own_wheels: Path) -> None:
    source = example(name, tmp_path)
    if name == "meson_python":
        # What is packed is what is committed there.
        run("git", "init", "-q", cwd=source)
        run("git", "add", ".", cwd=source)
        run("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "All", cwd=source)
    env = {**os.environ, "PIP_FIND_LINKS": str(own_wheels)}
    run(sys.executable, "-m", "build", source, "-o", tmp_path / "dist", env=env)
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    (wheel,) = (tmp_path / "dist").glob("*-py3-none-linux_*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith(".so")]
    with tarfile.open(sdist) as archive:
        (member,) = [member for member in archive.getnames() if member.count("/") == 1 and member.endswith("PKG-INFO")]
        file = archive.extractfile(member)
        assert file
        metadata = message_from_bytes(file.read())
    if name == "setuptools":
        # Which runtime that is depends on the build.
        assert "requires-dist" in metadata.get_all("Dynamic", [])
    else:
        assert [Requirement(text) for text in metadata.get_all("Requires-Dist", [])] == [WRITTEN]


def test_flags_say_what_the_functions_do(configure: Configure, tmp_path: Path) -> None:
    """As far as flags can; here CMake itself reads them."""
    configure(
        "add_library(lib SHARED lib.cc lib2.cc)",
        "file(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/lib2.cc [[#include <tvm/ffi/c_api.h>]])",
        "target_compile_features(lib PRIVATE cxx_std_17)",
        "target_link_libraries(lib PRIVATE tvm_ffi::flags)",
        define={"CMAKE_BUILD_TYPE": "Release"},
    )
    build_configured(tmp_path)
    library = tmp_path / "build/liblib.so"
    (image,) = read_binary(library).images
    assert {symbol.name for symbol in image.exports} == {"__tvm_ffi_one"}
    assert "libtvm_ffi.so" in image.libraries
    assert image.run_paths == ()
    assert recorded_runtime(library) == find_runtime().version
    assert str(find_runtime().include_dir).encode() not in library.read_bytes()
