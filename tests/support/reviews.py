"""What others' programs say of a project: of its workflows, and of how it is set up."""

from __future__ import annotations

import json
import re
import sys
import sysconfig
from pathlib import Path

from support.processes import run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["TOOLS", "argued_checks", "failed_checks", "follows_schema", "unargued", "zizmor_findings"]

TOOLS = Path(sysconfig.get_path("scripts"))


def follows_schema(path: Path, schema: str) -> bool:
    """Return whether a file follows one of the schemas that come with check-jsonschema."""
    done = run(TOOLS / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", path, ok=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode == 0


def zizmor_findings(folder: Path) -> set[str]:
    """Return the names of what zizmor finds at its strictest in a folder ``.github``."""
    done = run(
        TOOLS / "zizmor", "--offline", "--no-progress", "--persona", "auditor", "--format", "json", folder, ok=False
    )
    return {finding["ident"] for finding in json.loads(done.stdout)}


def failed_checks(project: Path) -> set[str]:
    """Return the names of the checks of repo-review that a project fails, without those that it argues with."""
    done = run(TOOLS / "repo-review", "--format", "json", project, ok=False)
    checks = json.loads(done.stdout)["checks"]
    assert len(checks) > 40
    return {name for name, check in checks.items() if check["result"] is False}


def argued_checks(pyproject: str) -> set[str]:
    """Return the names of the checks that ``[tool.repo-review]`` leaves out, each of which has its reason beside it."""
    ignored = tomllib.loads(pyproject)["tool"]["repo-review"]["ignore"]
    for name in ignored:
        assert re.search(rf'"{name}", +# \S+', pyproject), f"{name} has no reason"
    return set(ignored)


def unargued(pyproject: str) -> str:
    """Return the file without that table."""
    return re.sub(r"\[tool\.repo-review\]\nignore = \[.*?^\]\n", "", pyproject, flags=re.DOTALL | re.MULTILINE)
