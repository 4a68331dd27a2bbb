"""The pages on how to do things show code that is built elsewhere: each piece is a part of the file that it names."""

from __future__ import annotations

import re
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import generated
import pytest
from support.processes import run
from support.project import ROOT
from support.reviews import follows_schema, zizmor_findings

from tvm_ffi_build.new_project import ProjectNames, render
from tvm_ffi_build.new_project.templates import find_template
from tvm_ffi_build.pyproject.tables import GPU
from tvm_ffi_build.repair import read_repair_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

HOW_TO = ROOT / "docs/how-to"
PAGES = [
    HOW_TO / f"{name}.md"
    for name in (
        "other-backends",
        "mixed",
        "cuda",
        "wheels-for-cuda",
        "cross-build",
        "from-source",
        "ci",
        "large-wheels",
    )
]
_PIECE = re.compile(r"<!-- from: (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
# What tests/build/test_pages.py writes into files, and what is tried below.
_TRIED = re.compile(r"<!-- (?:append: \S+|write: \S+|job|settings|cibuildwheel) -->\n```\w+\n(.*?)```\n", re.DOTALL)
WORKFLOW = ROOT / "templates/common/.github/workflows/wheels.yml.jinja"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_shown_is_that_of_the_examples(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    pieces = _PIECE.findall(text)
    # Of files that "new" writes, the site shows what comes out of the template.
    assert pieces or "<!-- generated: new-" in text
    for path, text in pieces:
        assert text.strip(), path
        assert text in (ROOT / path).read_text(encoding="utf-8"), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_all_other_code_is_what_is_typed_or_said(page: Path) -> None:
    rest = _TRIED.sub("", _PIECE.sub("", page.read_text(encoding="utf-8")))
    assert set(re.findall(r"^```(\w+)$", rest, re.MULTILINE)) <= {"text", "console"}


@pytest.mark.parametrize(("major", "oldest"), [("12", "7.0"), ("13", "7.5")])
def test_the_script_writes_a_project_for_a_version_of_cuda(tmp_path: Path, major: str, oldest: str) -> None:
    run(sys.executable, ROOT / "examples/cuda/for_cuda.py", major, tmp_path / "project")
    project = tomllib.loads((tmp_path / "project/pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["name"] == f"my-ffi-cuda-cu{major}"
    architectures = GPU.read(tmp_path / "project")["architectures"]
    assert (architectures[0], architectures[-1]) == (oldest, "12.0+PTX")
    assert (tmp_path / "project/src/scale.cu").is_file()


def test_every_example_is_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in (
        "setuptools",
        "hatchling",
        "meson_python",
        "plain_cmake",
        "mixed_pybind11",
        "mixed_nanobind",
        "cuda",
        "from_source",
    ):
        assert f"examples/{name}" in text, name


def test_the_job_that_uploads_findings_fits_into_the_workflow_beside_it(tmp_path: Path) -> None:
    (job,) = re.findall(r"<!-- job -->\n```yaml\n(.*?)```\n", (HOW_TO / "ci.md").read_text(encoding="utf-8"), re.DOTALL)
    workflow = re.sub(r"^{%.*%}\n", "", WORKFLOW.read_text(encoding="utf-8"), flags=re.MULTILINE)
    begin, build = re.split(r"^jobs:\n", workflow, flags=re.MULTILINE)
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    path = folder / "wheels.yml"
    path.write_text(f"{begin}jobs:\n{build.partition('  sdist:')[0]}{job}", encoding="utf-8")
    assert follows_schema(path, "github-workflows")
    assert zizmor_findings(tmp_path / ".github") == set()


@pytest.mark.parametrize("ci", ["cibuildwheel", "cross"])
def test_the_workflow_shown_is_a_whole_file(ci: str) -> None:
    text = generated.new_workflow(ci)
    assert text.startswith("```yaml\nname: Wheels\n")
    assert "my-kernels" in text
    assert "<{" not in text
    assert "{%" not in text


def test_the_settings_of_cibuildwheel_are_those_of_a_new_project() -> None:
    text = (HOW_TO / "ci.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- cibuildwheel -->\n```toml\n(.*?)```\n", text, re.DOTALL)
    files = render(find_template("cpp"), ProjectNames("my-kernels", "my_kernels"))
    new = tomllib.loads(files[PurePosixPath("pyproject.toml")])["tool"]["cibuildwheel"]
    assert tomllib.loads(shown)["tool"]["cibuildwheel"].items() <= new.items()


def test_the_settings_shown_are_settings(tmp_path: Path) -> None:
    text = (HOW_TO / "large-wheels.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- settings -->\n```toml\n(.*?)```\n", text, re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(shown, encoding="utf-8")
    assert read_repair_settings(tmp_path).presets == ("cuda", "torch")
