"""The README keeps its word: the project that it shows builds and runs, its tables agree with the code."""

from __future__ import annotations

import os
import re
import shlex
import sys
import zipfile
from typing import TYPE_CHECKING

import generated
import pytest
from support.processes import command_line, counting_python, run
from support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(*starts: str) -> list[str]:
    """Return the commands that begin so."""
    found = [re.findall(rf"^({re.escape(start)}.*)$", README, re.MULTILINE) for start in starts]
    assert all(len(lines) == 1 for lines in found)
    return [lines[0] for lines in found]


def test_the_project_that_it_shows_builds_and_runs(tmp_path: Path, prepared: Callable[..., Environment]) -> None:
    environment = prepared("pip", f"{ROOT}[wheel]")
    project = tmp_path / "project"
    shown = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
    assert set(shown) == {"pyproject.toml", "CMakeLists.txt", "kernels.cc", "src/my_kernels/__init__.py"}
    for name, content in shown.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    env = {**os.environ, "PATH": f"{environment.path}/bin{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    build_it, use_it, from_checkout = commands("tvm-ffi-build wheel -w", "python -c", "python -m pip wheel")
    run("bash", "-c", build_it, cwd=project, env=env)
    assert run("bash", "-c", use_it, cwd=project, env=env).stdout == "42\n"
    (wheel,) = (project / "dist").iterdir()
    assert wheel.name.startswith("my_kernels-0.1.0-py3-none-")
    repaired = contents(wheel)
    wheel.unlink()
    run("bash", "-c", from_checkout.replace("CHECKOUT", shlex.quote(str(ROOT))), cwd=project, env=env)
    (wheel,) = (project / "dist").iterdir()
    as_built = contents(wheel)
    changed = {name for name in as_built if as_built[name] != repaired[name]}
    assert repaired.keys() == as_built.keys()
    assert {name.rpartition("/")[2] for name in changed} == {"RECORD", "WHEEL"}


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_its_query_and_its_python_agree() -> None:
    (query,) = re.findall(r"^\$ tvm-ffi-build (config .*)$", README, re.MULTILINE)
    (code,) = re.findall(r"^```python\n(from tvm_ffi_build.*?)^```$", README, re.MULTILINE | re.DOTALL)
    answered = run(sys.executable, "-m", "tvm_ffi_build", *query.split()).stdout
    printed = run(sys.executable, "-c", code).stdout
    assert shlex.split(answered.splitlines()[0]) == eval(printed)  # noqa: S307


def test_the_table_of_exit_statuses_is_the_manuals() -> None:
    assert f"\n{generated.exit_codes()}\n" in README


def test_the_cmake_signatures_are_those_of_the_manuals() -> None:
    for name in ("tvm_ffi_configure_target", "tvm_ffi_install"):
        (shown,) = re.findall(rf"^{name}\(<.*?\)$", README, re.MULTILINE | re.DOTALL)
        manual = (ROOT / f"cmake/{name}.cmake").read_text(encoding="utf-8").partition("\n# )")[0]
        assert re.findall(r"\[([A-Z_]+) ", shown) == re.findall(r"\[([A-Z_]+) ", manual)


@pytest.fixture
def with_the_runtimes_package(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Return a function that configures a project against the runtime's own CMake package."""
    cmakedir = run(sys.executable, "-m", "tvm_ffi.config", "--cmakedir", cwd=tmp_path).stdout.strip()

    def configure(*lines: str) -> tuple[int, str]:
        (tmp_path / "lib.cc").write_text("int f() { return 1; }\n", encoding="utf-8")
        text = ["cmake_minimum_required(VERSION 3.18)", "project(theirs LANGUAGES CXX)", *lines]
        (tmp_path / "CMakeLists.txt").write_text("\n".join(text), encoding="utf-8")
        done = run(
            *command_line(
                "cmake -G Ninja -S {tmp_path} -B {build} -Dtvm_ffi_DIR={cmakedir} "
                "-DPython_EXECUTABLE={counting_python}",
                tmp_path=tmp_path,
                build=tmp_path / "build",
                cmakedir=cmakedir,
                counting_python=counting_python(tmp_path),
            ),
            ok=False,
        )
        return done.returncode, done.stderr

    return configure


def test_what_the_table_says_of_the_runtimes_own_package(
    with_the_runtimes_package: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """On the newest runtime: where these stop to hold, the table has to change."""
    code, error = with_the_runtimes_package(
        "find_package(tvm_ffi CONFIG REQUIRED)",
        "add_library(lib SHARED lib.cc)",
        "tvm_ffi_configure_target(lib LINK_SHARD ON)",
    )
    assert (code, error) == (0, "")
    # find_package(Python) itself asks the interpreter some things, in other words.
    starts = (tmp_path / "starts").read_text(encoding="utf-8").splitlines()
    assert len([start for start in starts if "tvm_ffi.config" in start]) == 3
    sourcedir = run(sys.executable, "-m", "tvm_ffi.config", "--sourcedir", cwd=tmp_path).stdout.strip()
    code, error = with_the_runtimes_package(f'add_subdirectory("{sourcedir}" tvm_ffi)')
    assert code != 0
    assert "cmake/Utils" in error
