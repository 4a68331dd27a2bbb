"""What a build is told, without building."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build import pipeline
from tvm_ffi_build.errors import BuildError, ProjectError
from tvm_ffi_build.frontend import BuildRequest
from tvm_ffi_build.pipeline import before
from tvm_ffi_build.pipeline import build as build_module

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
[build-system]
requires = ["scikit-build-core>=1.0", "tvm-ffi-build"{more}]
build-backend = "scikit_build_core.build"
"""
PROVIDER = """
[[tool.dynamic-metadata]]
provider = "tvm-ffi-build"
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what the front end is told by variables, on a Python whose pip lacks the plugin's defaults."""
    seen: dict[str, str] = {}

    def run_build(request: BuildRequest, **_: object) -> None:
        seen.update(request.environment)

    for module in (before, build_module):
        monkeypatch.setattr(module, "HAS_CONFIG_ENTRY_POINT", False)
    monkeypatch.setattr(build_module, "run_build", run_build)
    return seen


def build(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match="gave 0 wheels"):
        pipeline.build_wheel(BuildRequest(folder, folder / "out"))


def test_the_defaults_are_set_where_the_plugin_cannot(tmp_path: Path, told: dict[str, str]) -> None:
    build(tmp_path, PROJECT.format(more="") + PROVIDER)
    assert told == {"SKBUILD_WHEEL_REPRODUCIBLE": "true", "SKBUILD_WHEEL_PY_API": "py3"}


def test_what_the_user_has_set_stays(tmp_path: Path, told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKBUILD_WHEEL_PY_API", "cp39")
    monkeypatch.setenv("SKBUILD_WHEEL_REPRODUCIBLE", "false")
    build(tmp_path, PROJECT.format(more="") + PROVIDER)
    assert told == {}


def test_a_project_that_binds_python_gets_no_tag(tmp_path: Path, told: dict[str, str]) -> None:
    build(tmp_path, PROJECT.format(more=', "pybind11"') + PROVIDER)
    assert told == {"SKBUILD_WHEEL_REPRODUCIBLE": "true"}


def test_without_the_provider_there_is_no_way_to_reach_the_build(tmp_path: Path, told: dict[str, str]) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(more=""), encoding="utf-8")
    with pytest.raises(ProjectError, match=r"below Python 3\.11 .* write \[\[tool\.dynamic-metadata\]\]"):
        pipeline.build_wheel(BuildRequest(tmp_path, tmp_path / "out"))


@pytest.mark.parametrize("backend", ["hatchling.build", "scikit_build_core.setuptools.build_meta"])
def test_other_backends_are_out_of_reach_there(tmp_path: Path, told: dict[str, str], backend: str) -> None:
    text = f'[build-system]\nrequires = ["tvm-ffi-build"]\nbuild-backend = "{backend}"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(
        ProjectError, match=f"below Python 3.11 tvm-ffi-build does not reach a build by {backend}; build"
    ):
        pipeline.build_wheel(BuildRequest(tmp_path, tmp_path / "out"))
    assert told == {}


def test_meson_asks_by_itself(tmp_path: Path, told: dict[str, str]) -> None:
    build(tmp_path, '[build-system]\nrequires = ["tvm-ffi-build"]\nbuild-backend = "mesonpy"\n')
