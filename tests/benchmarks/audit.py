"""What an audit costs: ``python tests/benchmarks/audit.py [MIB...]``.

The example's wheel, beside bare Python; and a wheel with a library of some MiB, of kernels for GPUs and of constants,
beside ``auditwheel show``, which reads symbols alone.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING

from large_wheel import CONSTANTS, KERNELS, wheel_of
from measure import EXAMPLE, ROOT, Spread, compare, cost, in_turn, judge, quiet, say, show, workplace

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (64, 512)
# The size that targets are for.
JUDGED = 512
ROUNDS, LARGE_ROUNDS = 11, 3
# In milliseconds beyond bare Python; of auditwheel's time; in MiB.
SMALL, TIME, MEMORY = 500, 1.0, 200


def main() -> None:
    """Measure and print."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    with workplace(f"{ROOT}[wheel]") as (folder, programs):
        small(programs, folder)
        for size in sizes:
            for section in (KERNELS, CONSTANTS):
                large(programs, folder, size, section)


def small(programs: Path, folder: Path) -> None:
    """Compare on the example's wheel."""
    quiet(programs / "tvm-ffi-build", "wheel", EXAMPLE, "-w", folder)()
    (wheel,) = folder.glob("my_ffi_extension-*.whl")
    samples = in_turn(
        {
            "audit": quiet(programs / "tvm-ffi-build", "audit", wheel),
            "bare Python": quiet(programs / "python", "-c", ""),
            "auditwheel show": quiet(programs / "auditwheel", "show", wheel),
        },
        ROUNDS,
    )
    show(f"The example's wheel ({ROUNDS} rounds)", samples)
    compare(samples, "audit", "auditwheel show", 1.0)
    judge(
        "audit of the example's wheel, beyond bare Python", samples["audit"].beyond(samples["bare Python"]), SMALL, "ms"
    )


def large(programs: Path, folder: Path, size: int, section: str) -> None:
    """Compare on a wheel with one large library."""
    work = folder / f"{size}{section}"
    wheel = wheel_of(size, work, section)
    # Something may well be found.
    measured = partial(cost, accepted=(0, 1))
    rounds = [
        (
            measured([programs / "tvm-ffi-build", "-q", "audit", wheel]),
            measured([programs / "auditwheel", "show", wheel]),
        )
        for _ in range(LARGE_ROUNDS)
    ]
    say(f"One library of {size} MiB in {section}, in a wheel of {wheel.stat().st_size >> 20} MiB")
    for name, costs in zip(("audit", "auditwheel show"), zip(*rounds)):
        best = min(costs)
        say(f"  {name:16} {best.seconds:6.2f} s ({best.processor:.2f} s of processors)  {best.memory:5.0f} MiB")
    if size == JUDGED:
        what = f"{size} MiB in {section}, audit"
        judge(f"{what} / auditwheel show", Spread.of([ours.seconds / theirs.seconds for ours, theirs in rounds]), TIME)
        judge(f"{what}, memory", Spread.of([ours.memory for ours, _ in rounds]), MEMORY, "MiB")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
