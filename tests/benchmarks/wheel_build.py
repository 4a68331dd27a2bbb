"""Where the time of a whole wheel build goes: ``python tests/benchmarks/wheel_build.py``."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from measure import EXAMPLE, ROOT, Spread, say, workplace

from tvm_ffi_build.wheels.own_wheel import write_own_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROUNDS = 5

# What a front end or scikit-build-core says when a step begins, and what the step is.
STEPS = (
    (r"Preparing metadata \(pyproject\.toml\): started", "metadata, in a process of its own"),
    (r"(Building wheel for \S+ \(pyproject\.toml\): started|Building wheel\.\.\.)", "start of the backend"),
    (r"\*\*\* Configuring CMake", "configure"),
    (r"\*\*\* Building project", "compile and link"),
    (r"\*\*\* Installing project", "install, with the check for py3"),
    (r"\*\*\* Making wheel", "zip"),
)


def main() -> None:
    """Measure and print."""
    with workplace("-U", "pip", f"{ROOT}[wheel]", "cmake", "ninja", "uv") as (folder, programs):
        (folder / "own").mkdir()
        write_own_wheel(folder / "own")
        env = {**os.environ, "PIP_FIND_LINKS": f"{folder}/own"}
        pip: list[str | Path] = [programs / "pip", "wheel", "-v", "--no-deps", "-w", folder / "out"]
        ours: list[str | Path] = [programs / "tvm-ffi-build", "wheel", "--no-repair", "-v", "-w", folder / "out"]
        for where, theirs, own in (
            ("in this environment", ["--no-build-isolation"], ["--no-isolation"]),
            ("isolated", [], []),
        ):
            # In turn, as the other benchmarks.
            rounds = [
                (steps_of([*pip, *theirs], folder, env), steps_of([*ours, *own], folder, env)) for _ in range(ROUNDS)
            ]
            show(f"pip wheel, {where}", [one for one, _ in rounds])
            show(f"tvm-ffi-build wheel, {where}", [one for _, one in rounds])
            ratios = Spread.of([beyond(one) / beyond(other) for other, one in rounds])
            say(f"ratio {ratios.middle:.2f} of what is not compile and link, tvm-ffi-build to pip, {where}")


def show(title: str, rounds: list[dict[str, float]]) -> None:
    """Print the median of each step."""
    steps = {step: statistics.median(one.get(step, 0) for one in rounds) for step in rounds[0]}
    say(f"{title}: {sum(steps.values()):.2f} s, of which {beyond(steps):.2f} s are not compile and link")
    for step, seconds in steps.items():
        say(f"  {seconds:6.2f} s  {step}")


def beyond(steps: dict[str, float]) -> float:
    """Return the seconds that are not spent in compiler and linker."""
    return sum(steps.values()) - steps["compile and link"]


def steps_of(command: list[str | Path], folder: Path, env: Mapping[str, str]) -> dict[str, float]:
    """Build the example once; return how long each step took, in seconds."""
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(EXAMPLE, project)
    step, steps = "before the backend", dict.fromkeys(["before the backend"], 0.0)
    last = time.perf_counter()
    with subprocess.Popen(
        [*command, project], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            begun = next((name for pattern, name in STEPS if re.search(rf"^\s*{pattern}", line)), None)
            if begun is not None:
                now = time.perf_counter()
                steps[step] = steps.get(step, 0) + now - last
                step, last = begun, now
    steps[step] = steps.get(step, 0) + time.perf_counter() - last
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return steps


if __name__ == "__main__":
    main()
