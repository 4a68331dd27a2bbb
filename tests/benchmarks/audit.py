"""What an audit costs: ``python tests/benchmarks/audit.py [MIB...]``.

The example's wheel, beside bare Python; and a wheel with a library of some MiB, of kernels for GPUs and of constants,
beside ``auditwheel show``, which reads symbols alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measure import ROOT, environment_with, in_turn, report
from repair import CONSTANTS, KERNELS, wheel_of

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (64, 512)
ROUNDS = 11
LARGE_ROUNDS = 3
# In seconds beyond bare Python; of auditwheel's time; in MiB.
SMALL, TIME, MEMORY = 0.5, 1.0, 200


class Cost(NamedTuple):
    """What a command took: wall and processor time in seconds, and the most memory in MiB."""

    seconds: float
    processor: float
    memory: float


def main() -> None:
    """Measure and print."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = environment_with(folder / "environment", f"{ROOT}[wheel]")
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
        small(programs, folder)
        for size in sizes:
            for section in (KERNELS, CONSTANTS):
                large(programs, folder, size, section)


def small(programs: Path, folder: Path) -> None:
    """Compare on the example's wheel."""
    example = ROOT / "examples" / "python_packaging"
    subprocess.run(
        [programs / "tvm-ffi-build", "-q", "wheel", example, "-w", folder], check=True, stdout=subprocess.DEVNULL
    )
    (wheel,) = folder.glob("my_ffi_extension-*.whl")
    samples = in_turn(
        {
            "audit": lambda: run(programs / "tvm-ffi-build", "audit", wheel),
            "bare Python": lambda: run(programs / "python", "-c", ""),
            "auditwheel show": lambda: run(programs / "auditwheel", "show", wheel),
        },
        ROUNDS,
    )
    report("the example's wheel", samples, [("audit", "auditwheel show", 1.0)])
    beyond = (samples["audit"].median - samples["bare Python"].median) / 1000
    sys.stdout.write(f"  {beyond:.2f} s beyond bare Python  target {SMALL} {'met' if beyond <= SMALL else 'MISSED'}\n")


def large(programs: Path, folder: Path, size: int, section: str) -> None:
    """Compare on a wheel with one large library; of some rounds the fastest counts."""
    work = folder / f"{size}{section}"
    work.mkdir()
    wheel = wheel_of(size, work, section)
    (work / "libbig.so").unlink()
    commands: dict[str, Sequence[str | Path]] = {
        "ours": [programs / "tvm-ffi-build", "-q", "audit", wheel],
        "auditwheel": [programs / "auditwheel", "show", wheel],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(LARGE_ROUNDS):
        for name, command in commands.items():
            costs[name].append(cost(command))
    ours, theirs = min(costs["ours"]), min(costs["auditwheel"])
    met = ours.seconds <= TIME * theirs.seconds and ours.memory <= MEMORY
    sys.stdout.write(
        f"one library of {size} MiB in {section}, in a wheel of {wheel.stat().st_size >> 20} MiB\n"
        f"  audit      {ours.seconds:6.2f} s ({ours.processor:.2f} s of processors)  {ours.memory:5.0f} MiB\n"
        f"  auditwheel {theirs.seconds:6.2f} s ({theirs.processor:.2f} s of processors)  {theirs.memory:5.0f} MiB\n"
        f"  ratio {ours.seconds / theirs.seconds:.2f}  targets {TIME} and {MEMORY} MiB {'met' if met else 'MISSED'}\n"
    )
    sys.stdout.flush()


def run(*command: str | Path) -> None:
    """Run a command."""
    cost(command)


def cost(command: Sequence[str | Path]) -> Cost:
    """Run a command, which may find something; return what it took."""
    before = os.times()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        sys.exit(f"{command[0]} failed")
    return Cost(os.times().elapsed - before.elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
