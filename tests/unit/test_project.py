"""What is read from a pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build.errors import ProjectError
from tvm_ffi_build.pyproject.build_system import read_project

if TYPE_CHECKING:
    from pathlib import Path


def project(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "requirement",
    [
        "tvm-ffi-build",
        "TVM_ffi.build>=0.1",
        "tvm-ffi-build[wheel] ; python_version > '3'",
        "tvm-ffi-build @ file:///a.whl",
        "  tvm-ffi-build",
    ],
)
def test_the_plugin_is_asked_for_by_name_however_it_is_spelled(tmp_path: Path, requirement: str) -> None:
    assert read_project(project(tmp_path, f'[build-system]\nrequires = ["{requirement}"]')).uses_this_plugin


def test_the_metadata_provider_is_seen(tmp_path: Path) -> None:
    text = '[[tool.dynamic-metadata]]\nprovider = "{}"\n'
    assert read_project(project(tmp_path, text.format("tvm-ffi-build"))).uses_provider
    assert not read_project(project(tmp_path, text.format("other"))).uses_provider
    assert not read_project(project(tmp_path, "[tool]\ndynamic-metadata = 1\n")).uses_provider


@pytest.mark.parametrize("requirement", ["tvm-ffi", "apache-tvm-ffi", "my-tvm-ffi-build", "tvm-ffi-build-extras", ""])
def test_other_names_are_not_the_plugins(tmp_path: Path, requirement: str) -> None:
    assert not read_project(project(tmp_path, f'[build-system]\nrequires = ["{requirement}"]')).uses_this_plugin


@pytest.mark.parametrize("name", ["pybind11", "nanobind", "Cython"])
def test_binding_generators_make_a_project_python_specific(tmp_path: Path, name: str) -> None:
    assert read_project(project(tmp_path, f'[build-system]\nrequires = ["{name}>=2"]')).binds_python


@pytest.mark.parametrize(
    ("backend", "setuptools"),
    [("setuptools.build_meta", True), ("scikit_build_core.setuptools.build_meta", True), ("hatchling.build", False)],
)
def test_the_backend_tells_who_makes_the_tag(tmp_path: Path, backend: str, setuptools: bool) -> None:
    read = read_project(project(tmp_path, f'[build-system]\nbuild-backend = "{backend}"'))
    assert (read.backend, read.uses_setuptools) == (backend, setuptools)


@pytest.mark.parametrize("text", ["", "[build-system]\nbuild-backend = 1"])
def test_a_backend_that_is_not_named(tmp_path: Path, text: str) -> None:
    read = read_project(project(tmp_path, text))
    assert (read.backend, read.uses_setuptools) == (None, False)


def test_a_project_without_any_table_asks_for_nothing(tmp_path: Path) -> None:
    read = read_project(project(tmp_path, ""))
    assert (read.uses_this_plugin, read.binds_python, set(read.py_apis)) == (False, False, {None})


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ("[tool.scikit-build]", {None}),
        ('[tool.scikit-build]\nwheel.py-api = ""', {""}),
        ('[[tool.scikit-build.overrides]]\nif.state = "wheel"\nwheel.py-api = "cp311"', {None, "cp311"}),
        (
            '[tool.scikit-build]\nwheel.py-api = "a"\n[[tool.scikit-build.overrides]]\nwheel = {py-api = "b"}',
            {"a", "b"},
        ),
        ("[tool.scikit-build]\noverrides = 1", {None}),
        ("[tool.scikit-build]\noverrides = [1]\nwheel = 1", {None}),
    ],
)
def test_the_tag_may_depend_on_overrides(tmp_path: Path, settings: str, values: set[str | None]) -> None:
    assert read_project(project(tmp_path, settings)).py_apis == values


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "build-system = 1",
        "tool = 1",
        "[tool]\nscikit-build = []",
        "a = '\\x00",
        "[build-system]\nrequires = 5",
        f"a = {'[' * 9000}",
        f"a = {'9' * 5000}",
    ],
)
def test_what_is_no_project_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match=r"pyproject\.toml") as caught:
        read_project(project(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"has no pyproject\.toml"):
        read_project(tmp_path)
    with pytest.raises(ProjectError, match="nowhere"):
        read_project(tmp_path / "nowhere")


def test_what_is_no_folder_and_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"pyproject\.toml is not a directory; pass the directory"):
        read_project(project(tmp_path, "") / "pyproject.toml")
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(ProjectError, match=r"pyproject\.toml is not a file; pass the directory that has one"):
        read_project(tmp_path)


def test_bytes_that_are_no_text_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectError, match="is not valid TOML"):
        read_project(tmp_path)
