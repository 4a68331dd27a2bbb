"""A new project's CI, as far as it can be run here: a platform a machine, and the second run compiles nothing."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Builder

pytestmark = pytest.mark.slow

# One of each system, and what leads them where they are not for this machine.
PLATFORMS = ("manylinux_2_28_aarch64", "macosx_11_0_arm64", "win_amd64")


def test_a_platform_a_machine_and_no_compilation_twice(
    builder: Builder, tmp_path: Path, installed: Callable[..., str]
) -> None:
    installed(lambda: shutil.which("ccache"), "ccache")
    run(sys.executable, "-m", "tvm_ffi_build", "new", "my-kernels", "--ci", "cross", cwd=tmp_path)
    project = tmp_path / "my-kernels"
    job = build_job(project / ".github/workflows/wheels.yml")
    (step,) = [step for step in job["steps"] if "--platform" in step.get("run", "")]
    assert step["env"] == {"PLATFORM": "${{ matrix.platform }}"}
    assert set(PLATFORMS) <= set(job["strategy"]["matrix"]["platform"])
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    environment = {**builder.environment, **job["env"], "PATH": path, "CCACHE_DIR": str(tmp_path / "ccache")}
    for platform in PLATFORMS:
        made, hits = [], []
        for _ in range(2):
            run("ccache", "--zero-stats", env=environment)
            run("bash", "-e", "-c", step["run"], cwd=project, env={**environment, "PLATFORM": platform})
            (wheel,) = (project / "wheelhouse").glob(f"*{platform}.whl")
            made.append(wheel.read_bytes())
            hits.append(statistics(environment))
        (first_hits, first_misses), (second_hits, second_misses) = hits
        # The library and the record of the runtime: for this machine, and for the platform.
        assert first_hits + first_misses >= 4
        assert (second_hits, second_misses) == (first_hits + first_misses, 0)
        assert made[0] == made[1]


def build_job(workflow: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415  (comes with check-jsonschema)

    job: dict[str, Any] = YAML(typ="safe").load(workflow.read_text(encoding="utf-8"))["jobs"]["build"]
    return job


def statistics(environment: dict[str, str]) -> tuple[int, int]:
    """Return how often ccache had what was asked for, and how often not."""
    lines = run("ccache", "--print-stats", env=environment).stdout.splitlines()
    counts = dict(line.split("\t") for line in lines)
    hits = int(counts["direct_cache_hit"]) + int(counts["preprocessed_cache_hit"])
    return hits, int(counts["cache_miss"])
