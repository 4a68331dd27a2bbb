"""What ``wheel`` costs after the build: ``python tests/benchmarks/after_build.py COMMIT [MIB]``.

It is compared with an earlier commit. Both take the same wheel with one large library out of a build that takes no
time, check, repair and audit it, in turn.
It is not among those of ``all.py``, since it needs the history of the repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from large_wheel import CONSTANTS, KERNELS, wheel_of
from measure import ROOT, Spread, say

ROUNDS = 3
# At most of the time before each file of the wheel was read once.
TIME = 0.6
PROJECT = '[build-system]\nrequires = ["tvm-ffi-build"]\nbuild-backend = "mesonpy"\n'
# Prints the seconds from the end of the build to the finished wheel.
MEASURE = """
import os, sys, time
from pathlib import Path
from tvm_ffi_build import pipeline
from tvm_ffi_build.frontend.run_frontend import BuildRequest
from tvm_ffi_build.pipeline import build

wheel, source, output = map(Path, sys.argv[1:])
began = []

def run_build(request, **_):
    os.link(wheel, request.output / wheel.name)
    began.append(time.perf_counter())

build.run_build = run_build
pipeline.build_wheel(BuildRequest(source, output, isolated=False))
print(time.perf_counter() - began[0])
"""


def main() -> None:
    """Measure and print."""
    commit, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 512
    # Beside the repository, where hard links can be made, and not in a memory that is small.
    with TemporaryDirectory(dir=ROOT.parent) as name:
        folder = Path(name)
        before = folder / "before"
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "-q", "--detach", before, commit], check=True)
        try:
            for section in (KERNELS, CONSTANTS):
                measure(before, folder, size, section)
        finally:
            subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", before], check=True)


def measure(before: Path, folder: Path, size: int, section: str) -> None:
    """Compare both on a wheel with one large library."""
    work = folder / f"{size}{section}"
    wheel = wheel_of(size, work, section)
    (work / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    rounds = [(seconds(ROOT, work, wheel), seconds(before, work, wheel)) for _ in range(ROUNDS)]
    for what, times in zip(("now", commit_of(before)), zip(*rounds)):
        say(f"  {size} MiB in {section:10}: {Spread.of(times).middle:6.2f} s after the build, {what}")
    ratio = Spread.of([now / then for now, then in rounds])
    say(f"  now / before: {ratio.middle:.2f} ({ratio.lower:.2f} to {ratio.upper:.2f}), at most {TIME}")
    shutil.rmtree(work)


def seconds(checkout: Path, work: Path, wheel: Path) -> float:
    """Return how long ``wheel`` of a checkout takes after the build."""
    output = work / "out"
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command: list[str | Path] = [sys.executable, "-c", MEASURE, wheel, work, output]
    # In a folder without this package, which Python would find first.
    done = subprocess.run(command, cwd=work, env=environment, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    shutil.rmtree(output)
    return float(done.stdout)


def commit_of(checkout: Path) -> str:
    """Return the commit of a checkout in a few letters."""
    command: list[str | Path] = ["git", "-C", checkout, "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()


if __name__ == "__main__":
    main()
