"""What a repair costs that changes the tag alone: ``python tests/benchmarks/repair.py [MIB...]``.

It is compared with ``auditwheel repair`` on the same wheels, in turn: the example's wheel, and one with a library of
some MiB, taken from the programs of this environment. Those bytes are in the section where compilers put GPU kernels,
which are most of a large library, and once more among the constants, which the final audit searches.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from large_wheel import CONSTANTS, KERNELS, wheel_of
from measure import EXAMPLE, ROOT, Spread, compare, cost, in_turn, judge, quiet, say, show, workplace

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (64, 256, 512, 1024)
# The size that targets are for, and how often it is repaired.
JUDGED, LARGE_ROUNDS = 512, 3
ROUNDS = 11
# At most of auditwheel's wall time and peak memory.
TIME, MEMORY, SMALL = 0.15, 0.3, 1.3


def main() -> None:
    """Measure and print."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    with workplace(f"{ROOT}[wheel]") as (folder, programs):
        small(programs, folder)
        say("One library, of this size")
        for size in sizes:
            for section in (KERNELS, CONSTANTS):
                large(programs, folder, size, section)


def commands(programs: Path, wheel: Path, folder: Path) -> tuple[list[str | Path], list[str | Path]]:
    """Return both commands."""
    ours: list[str | Path] = [programs / "tvm-ffi-build", "-q", "repair", wheel, "-w", folder / "ours"]
    theirs: list[str | Path] = [programs / "auditwheel", "repair", "--exclude", "libtvm_ffi.so"]
    return ours, [*theirs, wheel, "-w", folder / "theirs"]


def small(programs: Path, folder: Path) -> None:
    """Compare on the example's wheel."""
    quiet(programs / "tvm-ffi-build", "wheel", "--no-repair", EXAMPLE, "-w", folder)()
    (wheel,) = folder.glob("my_ffi_extension-*.whl")
    ours, theirs = commands(programs, wheel, folder)
    samples = in_turn({"repair": quiet(*ours), "auditwheel repair": quiet(*theirs)}, ROUNDS)
    show(f"The example's wheel ({ROUNDS} rounds)", samples)
    compare(samples, "repair", "auditwheel repair", SMALL)


def large(programs: Path, folder: Path, size: int, section: str) -> None:
    """Compare on a wheel with one large library."""
    work = folder / f"{size}{section}"
    wheel = wheel_of(size, work, section)
    rounds = [
        [cost(command) for command in commands(programs, wheel, work)]
        for _ in range(LARGE_ROUNDS if size == JUDGED else 1)
    ]
    time = Spread.of([ours.seconds / theirs.seconds for ours, theirs in rounds])
    memory = Spread.of([ours.memory / theirs.memory for ours, theirs in rounds])
    ours, theirs = rounds[0]
    say(
        f"  {size:5} MiB in {section:10}: {ours.seconds:6.2f} s and {ours.memory:5.0f} MiB, auditwheel "
        f"{theirs.seconds:6.2f} s and {theirs.memory:5.0f} MiB; ratios {time.middle:.2f} and {memory.middle:.2f}"
    )
    if size == JUDGED:
        what = f"{size} MiB in {section}, repair / auditwheel repair"
        judge(f"{what}, time", time, TIME)
        judge(f"{what}, memory", memory, MEMORY)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
