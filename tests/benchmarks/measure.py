"""Times commands in turn, so that what else the machine does meets all of them, and compares them.

A benchmark prints its results. If ``BENCHMARK_RESULTS`` names a file, each result that has a target is appended there
as a line of JSON, from which ``all.py`` generates a page.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "EXAMPLE",
    "RESULTS",
    "ROOT",
    "Cost",
    "Sample",
    "Spread",
    "compare",
    "cost",
    "environment_with",
    "in_turn",
    "judge",
    "quiet",
    "say",
    "show",
    "workplace",
]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "python_packaging"
RESULTS = "BENCHMARK_RESULTS"


class Spread(NamedTuple):
    """The middle of some values, and their lower and upper quartile."""

    middle: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return that of some values; of fewer than four, the least and the largest in place of quartiles."""
        if len(values) < 4:
            return cls(statistics.median(values), min(values), max(values))
        lower, middle, upper = statistics.quantiles(values, n=4)
        return cls(middle, lower, upper)


@dataclass(frozen=True)
class Sample:
    """The times of one command, in milliseconds, one a round."""

    times: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.times)

    def over(self, other: Sample) -> Spread:
        """Return the ratios to another sample, round by round."""
        return Spread.of([mine / its for mine, its in zip(self.times, other.times)])

    def beyond(self, other: Sample) -> Spread:
        """Return what is more than in another sample, round by round, in milliseconds."""
        return Spread.of([mine - its for mine, its in zip(self.times, other.times)])


class Cost(NamedTuple):
    """What a command took: wall and processor time in seconds, and the most memory of any of its processes in MiB."""

    seconds: float
    processor: float
    memory: float


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


def show(title: str, samples: Mapping[str, Sample]) -> None:
    """Print the medians."""
    say(title)
    for name, sample in samples.items():
        say(f"  {sample.median:8.1f} ms  {name}")


def compare(samples: Mapping[str, Sample], one: str, other: str, limit: float) -> None:
    """Print the ratio of two commands, with the highest that it is meant to have."""
    judge(f"{one} / {other}", samples[one].over(samples[other]), limit)


def judge(what: str, value: Spread | float, limit: float, unit: str = "") -> None:
    """Print a value, with the highest that it is meant to have.

    Args:
        what: What it is of; a ratio says of what to what.
        value: The value, with its spread if there was more than one round.
        limit: The target.
        unit: Its unit, of both; none for ratios.

    """
    spread = value if isinstance(value, Spread) else Spread(value, value, value)
    digits = 0 if limit >= 20 else 2
    met = spread.middle <= limit
    shown = f"{spread.middle:.{digits}f} {unit}".rstrip()
    if spread.lower != spread.upper:
        shown += f" ({spread.lower:.{digits}f} to {spread.upper:.{digits}f})"
    say(f"  {what}: {shown}, at most {limit:g}: {'met' if met else 'MISSED'}")
    if RESULTS in os.environ:
        row = {"what": what, "value": shown, "limit": f"{limit:g} {unit}".rstrip(), "met": met}
        with Path(os.environ[RESULTS]).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(row)}\n")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def cost(command: Sequence[str | Path], *, accepted: Sequence[int] = (0,)) -> Cost:
    """Run a command without its output; return what it took."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        sys.exit(f"{command[0]} failed")
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def quiet(*command: str | Path, cwd: Path | None = None) -> Callable[[], None]:
    """Return a call that runs a command without its output."""

    def call() -> None:
        subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return call


def environment_with(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment as pip makes it, bytecode included; return the folder of its programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    programs = folder / "bin"
    subprocess.run(
        [programs / "python", "-m", "pip", "install", "-q", *requirements], check=True, stderr=subprocess.DEVNULL
    )
    return programs


@contextmanager
def workplace(*requirements: str) -> Iterator[tuple[Path, Path]]:
    """Make a folder to work in and an environment, whose programs are found first; yield the folder and theirs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = environment_with(folder / "environment", *requirements)
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{programs}{os.pathsep}{before}"
        yield folder, programs
        os.environ["PATH"] = before
