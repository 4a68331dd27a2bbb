"""The page on moving from a hand-written CI: cibuildwheel accepts its settings, and its numbers are reproduced."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import sysconfig
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.new_project import ProjectNames, render
from tvm_ffi_build.new_project.templates import find_template
from tvm_ffi_build.repair.command import populate_parser

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.environments import Environment

PAGE = (ROOT / "docs/how-to/from-hand-written-ci.md").read_text(encoding="utf-8")
MACHINES = (("linux", "x86_64,aarch64"), ("macos", "arm64"), ("windows", "AMD64"))


def settings(which: str) -> str:
    (text,) = re.findall(rf"<!-- {which}: pyproject.toml -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


@pytest.mark.parametrize(("which", "place"), [("before", 0), ("after", 1)])
def test_cibuildwheel_makes_as_many_wheels_as_the_page_says(which: str, place: int, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(settings(which), encoding="utf-8")
    program = Path(sysconfig.get_path("scripts")) / "cibuildwheel"
    made = [
        identifier
        for platform, archs in MACHINES
        for identifier in run(
            program, "--print-build-identifiers", "--platform", platform, "--archs", archs, tmp_path
        ).stdout.split()
    ]
    (numbers,) = re.findall(r"the first makes (\d+) wheels and the second (\d+)", PAGE)
    assert len(made) == int(numbers[place])


def test_the_settings_after_are_those_of_a_new_project() -> None:
    new = tomllib.loads(
        render(find_template("cpp"), ProjectNames("my-kernels", "my_kernels"))[PurePosixPath("pyproject.toml")]
    )
    after = tomllib.loads(settings("after"))["tool"]["cibuildwheel"]
    assert after == {key: value for key, value in new["tool"]["cibuildwheel"].items() if not key.startswith("test-")}


def tables() -> list[list[str]]:
    return [
        [cell.strip() for cell in line[1:-1].split("|")]
        for line in re.findall(r"^\|.*", PAGE, re.MULTILINE)
        if not line.startswith("|--")
    ]


def test_each_setting_before_and_after_is_explained() -> None:
    explained = {key for row in tables() for key in re.findall(r"`([a-z-]+)`", row[0])}
    for which in ("before", "after"):
        keys = tomllib.loads(settings(which))["tool"]["cibuildwheel"]
        inner = {key for table in keys.values() if isinstance(table, dict) for key in table}
        assert {key for key, value in keys.items() if not isinstance(value, dict)} | inner <= explained


@pytest.mark.parametrize("tool", ["auditwheel", "delocate-wheel", "delvewheel"])
def test_the_options_of_the_tools_are_theirs_and_what_is_instead_is_ours(tool: str) -> None:
    theirs = {tool: run(tool, *(["repair"] if tool != "delocate-wheel" else []), "--help").stdout}
    rows = [
        (option, here)
        for before, here in tables()
        for name, option in re.findall(r"`([\w-]+) (--[\w-]+)`", before)
        if name == tool
    ]
    assert rows
    parser = argparse.ArgumentParser()
    populate_parser(parser)
    for option, here in rows:
        assert option in theirs[tool]
        for ours in re.findall(r"`(--[a-z-]+)`", here):
            assert ours in parser.format_help()


def test_the_guides_lines_are_on_the_page_of_what_they_do_alone() -> None:
    manual = (ROOT / "docs/reference/repair.md").read_text(encoding="utf-8")
    rows = [row for row in tables() if row[0].endswith(("dist/*.whl`", "*.whl`")) and "--exclude" in row[0]]
    assert len(rows) == 3
    assert all(f"| {row[0]} |" in manual for row in rows)


@pytest.mark.slow
def test_its_commands_on_a_folder_with_more_than_one_wheel(
    example_wheel: Path, make_wheel: Callable[..., Path], environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "dist").mkdir()
    shutil.copy2(example_wheel, tmp_path / "dist")
    make_wheel(name="pure", tag="py3-none-any", purelib=True, folder=tmp_path / "dist")
    (audit,) = re.findall(r"^tvm-ffi-build (audit .*)$", PAGE, re.MULTILINE)
    (repair,) = re.findall(r"`tvm-ffi-build (repair dist .*?)`", PAGE)
    (install,) = re.findall(r"^python -m pip (install --no-index .*)$", PAGE, re.MULTILINE)
    run(sys.executable, "-m", "tvm_ffi_build", *audit.split(), cwd=tmp_path)
    run(sys.executable, "-m", "tvm_ffi_build", *repair.split(), cwd=tmp_path)
    (wheel,) = (tmp_path / "wheelhouse").iterdir()
    assert wheel.name.startswith("my_ffi_extension-0.1.0-py3-none-manylinux_")
    environment.install("pip")
    environment.run("-m", "pip", *install.replace("my-kernels", "my-ffi-extension").split(), cwd=tmp_path)
    assert (environment.site_packages / "my_ffi_extension").is_dir()
