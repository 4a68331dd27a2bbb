"""Two distributions install a command ``tvm-ffi-config``: which one is found, and why nothing of ours depends on it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from support.errors import read_error
from support.processes import command_line, run
from support.project import ROOT, source_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

OLDER = "apache-tvm-ffi==0.1.12"
NEWER = "apache-tvm-ffi==0.1.15.post2"


@pytest.fixture(params=["pip", "uv"])
def tool(request: pytest.FixtureRequest) -> str:
    """Return the name of one of the two installers."""
    return str(request.param)


@pytest.fixture
def environment(tool: str, request: pytest.FixtureRequest) -> Environment:
    """Return a new virtual environment, with pip if that is the installer."""
    environment: Environment = request.getfixturevalue("with_pip" if tool == "pip" else "environment")
    return environment


@pytest.fixture
def installer(tool: str, environment: Environment) -> Callable[..., None]:
    """Return a function that runs ``install`` and ``uninstall`` with the installer."""

    def run_installer(action: str, *arguments: str | Path) -> None:
        yes = ["--yes"] if (tool, action) == ("pip", "uninstall") else []
        if tool == "pip":
            environment.run("-m", "pip", action, "-q", *yes, *arguments)
        else:
            run("uv", "pip", action, "--quiet", "--python", environment.python, *arguments)

    return run_installer


@pytest.fixture
def ours(own_wheels: Path) -> Path:
    """Return this tvm-ffi-build as a wheel."""
    (wheel,) = own_wheels.glob("*.whl")
    return wheel


def owner(environment: Environment) -> str | None:
    """Return whose command is on PATH, by what only one of them can answer."""
    command = environment.path / "bin/tvm-ffi-config"
    if not command.exists():
        return None
    return "ours" if run(command, "--version", ok=False).returncode == 0 else "the runtime's"


def assert_ours_work(environment: Environment) -> None:
    """Check what docs, CMake and templates call."""
    include = environment.site_packages / "tvm_ffi/include"
    assert environment.run("-m", "tvm_ffi_build.config", "--includedir").strip() == str(include)
    assert run(environment.path / "bin/tvm-ffi-build", "config", "--includedir").stdout.strip() == str(include)
    (environment.path / "project").mkdir(exist_ok=True)
    (environment.path / "project/CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(p LANGUAGES C)\nfind_package(tvm_ffi CONFIG REQUIRED)\n",
        encoding="utf-8",
    )
    cmakedir = environment.run("-m", "tvm_ffi_build.config", "--cmakedir").strip()
    # A PATH whose first command of that name would stop everything.
    trap = environment.path / "trap"
    trap.mkdir(exist_ok=True)
    (trap / "tvm-ffi-config").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (trap / "tvm-ffi-config").chmod(0o755)
    env = {**os.environ, "PATH": f"{trap}{os.pathsep}{os.environ['PATH']}"}
    done = run(
        *command_line(
            "cmake -S {project} -B {build} -Dtvm_ffi_DIR={cmakedir} -DPython_EXECUTABLE={python}",
            project=environment.path / "project",
            build=environment.path / "build",
            cmakedir=cmakedir,
            python=environment.python,
        ),
        env=env,
    )
    assert f"Found tvm_ffi: {environment.site_packages}/tvm_ffi/lib/" in done.stdout


def test_through_install_upgrade_and_uninstall(
    environment: Environment, installer: Callable[..., None], ours: Path
) -> None:
    """The names of the owners are facts about the installers; that ours goes on working is the point."""
    installer("install", OLDER)
    assert owner(environment) == "the runtime's"
    installer("install", ours)
    # Whoever is installed last into an environment.
    assert owner(environment) == "ours"
    assert_ours_work(environment)

    installer("install", "--upgrade", NEWER)
    # Its new release takes the name back.
    assert owner(environment) == "the runtime's"
    assert_ours_work(environment)

    installer("install", "--force-reinstall", "--no-deps", ours)
    assert owner(environment) == "ours"
    assert_ours_work(environment)

    installer("uninstall", "tvm-ffi-build")
    # The name goes with us, the runtime's module is still there.
    assert owner(environment) is None
    assert environment.run("-m", "tvm_ffi.config", "--includedir").strip().endswith("/tvm_ffi/include")
    installer("install", "--force-reinstall", "--no-deps", NEWER)
    assert owner(environment) == "the runtime's"


def test_both_at_once_and_without_the_runtime(
    tool: str, environment: Environment, installer: Callable[..., None], ours: Path
) -> None:
    """With uv it may be either: it installs several distributions at the same time."""
    installer("install", ours)
    assert owner(environment) in {"ours", "the runtime's"}
    if tool == "pip":
        # pip installs what others depend on first.
        assert owner(environment) == "ours"
    assert_ours_work(environment)
    installer("uninstall", "apache-tvm-ffi")
    out = environment.run("-m", "tvm_ffi_build", "config", "--includedir", ok=False)
    wanted = r"apache-tvm-ffi is not installed in .+; run: .+ -m pip install apache-tvm-ffi"
    assert re.fullmatch(wanted, read_error(out))


def test_nothing_of_ours_calls_the_bare_name() -> None:
    """In what we ship and show: a name in prose is no call, an option after it is."""
    called = re.compile(r"(?<![\w-])tvm-ffi-config[\"']?,? +[\"']?--\w")
    suffixes = {".cmake", ".md", ".py", ".toml", ".txt", ".yml"}
    shown = [path for path in source_files() if path.suffix in suffixes and ROOT / "tests" not in path.parents]
    assert len(shown) > 40
    calls = [path for path in shown if called.search(path.read_text(encoding="utf-8"))]
    assert calls == []
    assert called.search('execute_process(COMMAND "tvm-ffi-config" --includedir')
