"""Times commands in turn, so that what else the machine does meets all of them, and compares them."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["ROOT", "Sample", "environment_with", "in_turn", "report"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sample:
    """The times of one command, in milliseconds, one a round."""

    times: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.times)

    def over(self, other: Sample) -> tuple[float, float, float]:
        """Return the median, the lower and the upper quartile of the ratios to another sample, round by round."""
        ratios = [mine / its for mine, its in zip(self.times, other.times)]
        lower, middle, upper = statistics.quantiles(ratios, n=4)
        return middle, lower, upper


def in_turn(commands: Mapping[str, Callable[[], None]], rounds: int) -> dict[str, Sample]:
    """Call each once to warm up, then all in turn, round after round."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, call in commands.items():
            started = time.perf_counter()
            call()
            if number > 0:
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: Sample(tuple(of_one)) for name, of_one in times.items()}


def report(title: str, samples: Mapping[str, Sample], comparisons: Sequence[tuple[str, str, float]]) -> None:
    """Print the medians, and the ratios with the highest that each is meant to have."""
    sys.stdout.write(f"{title}\n")
    for name, sample in samples.items():
        sys.stdout.write(f"  {sample.median:8.1f} ms  {name}\n")
    for one, other, target in comparisons:
        middle, lower, upper = samples[one].over(samples[other])
        verdict = "met" if middle <= target else "MISSED"
        sys.stdout.write(
            f"  ratio {middle:.2f} ({lower:.2f} to {upper:.2f})  {one} / {other}  target {target} {verdict}\n"
        )
    sys.stdout.flush()


def environment_with(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment as pip makes it, bytecode included; return the folder of its programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    programs = folder / "bin"
    subprocess.run(
        [programs / "python", "-m", "pip", "install", "-q", *requirements], check=True, stderr=subprocess.DEVNULL
    )
    return programs
