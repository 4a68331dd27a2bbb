"""How this repository is set up: its workflows, its hooks, and what others' programs say of both."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML  # comes with check-jsonschema
from support.processes import run
from support.project import ROOT, copy_project
from support.reviews import argued_checks, failed_checks, follows_schema, unargued, zizmor_findings

from tvm_ffi_build import __version__
from tvm_ffi_build.wheels.markers import SUPPORTED_PYTHONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path for path in (GITHUB / "workflows").iterdir()}
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def jobs(workflow: str) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = YAML(typ="safe").load(WORKFLOWS[workflow])["jobs"]
    return loaded


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job.get("steps", []) if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS.values(), ids=list(WORKFLOWS))
def test_workflows_follow_their_schema(path: Path) -> None:
    assert follows_schema(path, "github-workflows")


def test_dependabot_looks_after_the_actions() -> None:
    assert follows_schema(GITHUB / "dependabot.yml", "dependabot")


def test_zizmor_finds_nothing() -> None:
    assert zizmor_findings(GITHUB) == set()


def test_actions_are_those_that_new_projects_get() -> None:
    used = re.compile(r"uses: (\S+@\S+)")
    recipes = (ROOT / "templates").glob("*/.github/workflows/*.jinja")
    theirs = {use for path in recipes for use in used.findall(path.read_text(encoding="utf-8"))}
    ours = {use for path in WORKFLOWS.values() for use in used.findall(path.read_text(encoding="utf-8"))}
    assert ours <= theirs


def test_the_workflow_runs_every_stage_of_the_script_and_no_other() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^stages=\((.*)\)$", script, re.MULTILINE)
    stages = [stage.partition(":")[0] for stage in listed.split()]
    jobs = re.findall(r"stages: ([a-z ]+),", WORKFLOWS["ci"].read_text(encoding="utf-8"))
    assert [stage for job in jobs for stage in job.split()] == stages


def test_every_check_of_repo_review_passes_or_is_argued_with(tmp_path: Path) -> None:
    assert failed_checks(ROOT) == set()
    # None without need: each fails where it is not left out.
    project = copy_project(tmp_path / "project")
    (project / "pyproject.toml").write_text(unargued(PYPROJECT), encoding="utf-8")
    assert failed_checks(project) == argued_checks(PYPROJECT)


def test_the_oldest_scikit_build_core_is_the_same_wherever_it_is_named() -> None:
    """Older releases ignore the plugin without a word."""
    dependencies = tomllib.loads(PYPROJECT)["project"]["dependencies"]
    (oldest,) = (word.partition(">=")[2] for word in dependencies if word.startswith("scikit-build-core"))
    package = (ROOT / "cmake/tvm_ffi-config.cmake").read_text(encoding="utf-8")
    assert f"SKBUILD_CORE_VERSION VERSION_LESS {oldest})" in package
    template = (ROOT / "templates/common/pyproject.toml.jinja").read_text(encoding="utf-8")
    assert f'"scikit-build-core>={oldest}"' in template


def test_commands_of_the_workflows_exist() -> None:
    words = {
        word for name in WORKFLOWS for job in jobs(name).values() for line in commands(job) for word in line.split()
    }
    files = {word for word in words if re.fullmatch(r"(\.ci|ledger|examples)/\S+", word)}
    assert {".ci/run", "ledger/news.py", "ledger/regenerate.py", "examples/python_packaging"} <= files
    # The sdist has no .ci.
    assert [word for word in files if not (ROOT / word).exists() and (ROOT / ".git").exists()] == []
    extras = {name for word in words for name in re.findall(r"\[(\w+)\]", word)}
    assert extras <= set(tomllib.loads(PYPROJECT)["project"]["optional-dependencies"])


def test_nothing_is_published_that_failed_anywhere_and_without_a_token() -> None:
    release = jobs("release")
    assert set(release["publish"]["needs"]) == set(release) - {"publish"}
    assert release["ci"]["uses"].endswith("/.github/workflows/ci.yml")
    assert release["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in WORKFLOWS["release"].read_text(encoding="utf-8")


def test_a_release_has_a_wheel_for_each_kind_of_pip() -> None:
    """The newest Python that wants the one wheel, and one that wants the other; ``hatch_build.py`` says why."""
    built = jobs("release")["build"]
    (versions,) = (
        step["with"]["python-version"].split() for step in built["steps"] if "setup-python" in step.get("uses", "")
    )
    assert [tuple(map(int, version.split("."))) >= (3, 11) for version in versions] == [False, True]
    said = "\n".join(commands(built))
    assert all(f"python{version} " in said for version in versions)


def test_the_changelog_has_a_dated_section_for_the_version_below_what_is_to_come() -> None:
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", heads[1])


def test_what_may_fail_in_ci_is_what_nobody_has_run() -> None:
    assert {name for name, job in jobs("ci").items() if job.get("continue-on-error")} == {"elsewhere"}


def test_the_next_python_is_tried_each_week_and_reported() -> None:
    """Each step that a pre-release can break may fail, and the last one says which of them did."""
    workflow = YAML(typ="safe").load(WORKFLOWS["next-python"])
    assert workflow["on"]["schedule"]
    *_, python, example, report = workflow["jobs"]["prerelease"]["steps"]
    assert python["with"]["python-version"] == f"3.{SUPPORTED_PYTHONS[-1] + 1}-dev"
    assert python["continue-on-error"]
    assert example["continue-on-error"]
    assert set(report["env"].values()) == {f"${{{{ steps.{step['id']}.outcome }}}}" for step in (python, example)}


def test_the_hooks_are_the_linters_of_the_environment() -> None:
    path = ROOT / ".pre-commit-config.yaml"
    run(sys.executable, "-m", "pre_commit", "validate-config", path)
    (repository,) = YAML(typ="safe").load(path)["repos"]
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    assert [hook["id"] for hook in repository["hooks"]] == ["ruff-check", "ruff-format", "mypy", "gersemi"]
