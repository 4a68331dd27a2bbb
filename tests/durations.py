"""Measure where a test run spends its time, and print a table by test file and by fixture.

As a pytest plugin, this appends one JSON line per test and per fixture set-up to the file that ``--durations-file``
names. CPU seconds include those of child processes that ended, which is most of them: compilers and build front ends.
Wall seconds also include waiting, such as for a fixture that another worker of pytest-xdist is setting up.

As a program, it prints the table: ``python tests/durations.py build/durations.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable


class Cost(NamedTuple):
    """Seconds spent on a test or a fixture."""

    cpu: float
    wall: float

    @classmethod
    def now(cls) -> Cost:
        """Return what this process and its ended children have used so far."""
        times = os.times()
        return cls(sum(times[:4]), time.perf_counter())

    def since(self, start: Cost) -> Cost:
        """Return the difference from an earlier reading."""
        return Cost(self.cpu - start.cpu, self.wall - start.wall)


class Recorder:
    """Write the cost of every test and fixture to a file that all workers share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fixtures = Cost(0, 0)

    def write(self, kind: str, name: str, cost: Cost) -> None:
        """Append one line. Appending a short line is atomic, so workers need no lock."""
        line = json.dumps({"kind": kind, "name": name, "cpu": round(cost.cpu, 3), "wall": round(cost.wall, 3)})
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Measure a fixture without those that it depends on, which pytest sets up before."""
        start = Cost.now()
        try:
            return (yield)
        finally:
            cost = Cost.now().since(start)
            self.fixtures = Cost(self.fixtures.cpu + cost.cpu, self.fixtures.wall + cost.wall)
            self.write("fixture", fixturedef.argname, cost)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Measure a test without the fixtures that it set up."""
        self.fixtures = Cost(0, 0)
        start = Cost.now()
        try:
            return (yield)
        finally:
            self.write("test", item.nodeid, Cost.now().since(start).since(self.fixtures))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that turns the measurement on."""
    parser.addoption("--durations-file", type=Path, help="append the CPU and wall seconds of each test to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Start measuring, in every worker. The controller of pytest-xdist runs no tests."""
    path = config.getoption("--durations-file")
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        config.pluginmanager.register(Recorder(path.absolute()), "durations-recorder")


def read(lines: Iterable[str]) -> dict[str, dict[str, list[Cost]]]:
    """Return costs by kind (``file``, ``fixture``, ``test``), then by name."""
    costs: dict[str, dict[str, list[Cost]]] = {kind: defaultdict(list) for kind in ("file", "fixture", "test")}
    for line in lines:
        row = json.loads(line)
        cost = Cost(row["cpu"], row["wall"])
        costs[row["kind"]][row["name"]].append(cost)
        if row["kind"] == "test":
            costs["file"][row["name"].partition("::")[0]].append(cost)
    return costs


def table(costs: dict[str, list[Cost]], title: str, most: int) -> str:
    """Return a Markdown table of the costliest, by CPU seconds."""
    totals = {name: Cost(sum(one.cpu for one in each), sum(one.wall for one in each)) for name, each in costs.items()}
    rows = [f"| {title} | times | CPU s | wall s |", "|---|--:|--:|--:|"]
    costliest = sorted(totals, key=lambda name: -totals[name].cpu)[:most]
    rows += [
        f"| `{name}` | {len(costs[name])} | {totals[name].cpu:.1f} | {totals[name].wall:.1f} |" for name in costliest
    ]
    total = Cost(sum(each.cpu for each in totals.values()), sum(each.wall for each in totals.values()))
    rows.append(f"| all | {sum(map(len, costs.values()))} | {total.cpu:.1f} | {total.wall:.1f} |")
    return "\n".join(rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Print where a test run spent its time.")
    parser.add_argument("path", type=Path, help="the file that pytest's --durations-file wrote")
    parser.add_argument("--most", type=int, default=20, help="the number of rows in each table (default: 20)")
    arguments = parser.parse_args()
    costs = read(arguments.path.read_text(encoding="utf-8").splitlines())
    for kind, title in (("file", "file"), ("fixture", "fixture"), ("test", "test")):
        print(table(costs[kind], title, arguments.most), end="\n\n")


if __name__ == "__main__":
    main()
