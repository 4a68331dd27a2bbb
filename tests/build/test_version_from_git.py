"""The page on versions from git tags: its ``pyproject.toml`` gives the version of the tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

PAGE = (ROOT / "docs/how-to/version-from-git-tags.md").read_text(encoding="utf-8")
CODE = """
import sys
from scikit_build_core.build import prepare_metadata_for_build_wheel
prepare_metadata_for_build_wheel(sys.argv[1])
"""


@pytest.mark.slow
def test_the_version_is_that_of_the_tag(tmp_path: Path, prepared: Callable[..., Environment]) -> None:
    environment = prepared(ROOT, "setuptools-scm>=8")
    project, metadata = tmp_path / "project", tmp_path / "metadata"
    project.mkdir()
    metadata.mkdir()
    (shown,) = re.findall(r"<!-- write: pyproject.toml -->\n```toml\n(.*?)```\n", PAGE, re.DOTALL)
    (tag,) = re.findall(r"^git tag (.*)$", PAGE, re.MULTILINE)
    (project / "pyproject.toml").write_text(shown, encoding="utf-8")
    author = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", "--all", cwd=project)
    run("git", *author, "commit", "--quiet", "--message", "first", cwd=project)
    run("git", "tag", tag, cwd=project)
    environment.run("-c", CODE, str(metadata), cwd=project)
    (found,) = metadata.rglob("METADATA")
    text = found.read_text(encoding="utf-8")
    assert f"\nVersion: {tag.removeprefix('v')}\n" in text
    assert "\nRequires-Dist: apache-tvm-ffi" in text
