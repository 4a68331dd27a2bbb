"""Builds extensions against every release, runs them on every release: ``python ledger/matrix.py [--check]``.

Writes which of them fail where to ``observed.json``, for what the contract derives from a library to be held against it,
and prints it as a table. ``--check`` writes nothing, says line by line in what the data here differs from what happens,
and exits with 1 if it does. With all extensions this takes an hour of one core; the second time a minute, and after a
change what has to be built and run again. Needs gcc, g++, pip, Linux on x86_64, and a Python that all releases have
wheels for: 3.9 to 3.13.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from builds import EXTENSIONS, build
from cells import differences, fold, render, unfold
from releases import CACHE, list_releases, runtime_folder
from runs import run_on
from verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cells import Cell
    from releases import Release
    from runs import Outcome

OBSERVED = Path(__file__).with_name("observed.json")


class _Options(argparse.Namespace):
    check: bool
    extension: list[str]
    built: list[str]
    on: list[str]
    derive: str | None
    explain: bool
    jobs: int
    work: Path


def main() -> None:
    """Build and run, then write or compare."""
    options = _parse()
    try:
        releases = list_releases()
        versions = [release.version for release in releases]
        missing = sorted({*options.built, *options.on} - {*versions})
        if missing:
            sys.exit(f"the index has no final release {', '.join(missing)}")
        libraries = build_all(releases, options)
        outcomes = run_all(libraries, releases, options)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(map(str, error.cmd))} failed; it says why above")

    observed = {cell: outcome.status == 0 for cell, outcome in outcomes.items()}
    data = fold(observed, versions)
    print("\n".join(table(data)))
    if options.explain:
        print("\n".join(["", *explanations(outcomes)]))
    if options.derive:
        module, _, function = options.derive.partition(":")
        print("\n".join(["", *judge(observed, libraries, getattr(importlib.import_module(module), function), versions)]))
    if not options.check:
        unfinished = OBSERVED.with_suffix(".unfinished")
        unfinished.write_text(render(data), encoding="utf-8")
        unfinished.replace(OBSERVED)
        return
    recorded = unfold(json.loads(OBSERVED.read_text(encoding="utf-8")), versions)
    asked_for = (options.extension, options.built, options.on)
    recorded = {
        cell: works
        for cell, works in recorded.items()
        if all(not some or part in some for part, some in zip(cell, asked_for))
    }
    different = list(differences(recorded, observed, versions))
    print("\n".join(["", *different] if different else ["", "no difference"]))
    sys.exit(bool(different))


def _parse() -> _Options:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs from the data here")
    some = {"nargs": "+", "default": [], "metavar": "VERSION"}
    parser.add_argument("--extension", nargs="+", default=[], choices=EXTENSIONS, help="with --check: these alone")
    parser.add_argument("--built", **some, help="with --check: built against these alone")
    parser.add_argument("--on", **some, help="with --check: run on these alone")
    parser.add_argument("--derive", metavar="MODULE:FUNCTION", help="print beside it what this says of each library")
    parser.add_argument("--explain", action="store_true", help="print how they fail")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once (default: %(default)s)")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder for downloads (default: %(default)s)")
    options = parser.parse_args(namespace=_Options())
    if (options.extension or options.built or options.on) and not options.check:
        parser.error("--extension, --built and --on go with --check: the data is of all")
    options.work = options.work.resolve()
    return options


def build_all(releases: Sequence[Release], options: _Options) -> dict[tuple[str, str], Path]:
    """Return the libraries, by extension and release, of those that can be built."""
    wanted = [release for release in releases if release.version in options.built or not options.built]
    names = options.extension or EXTENSIONS
    with ThreadPoolExecutor(options.jobs) as pool:

        def start(release: Release, name: str) -> Path | None:
            print(f"build {name} {release.version} ...", file=sys.stderr)
            folder = runtime_folder(release.version, release.host, options.work)
            return build(EXTENSIONS[name], folder, options.work / release.version / "extensions")

        # The folders first: two threads must not make one.
        list(pool.map(lambda release: runtime_folder(release.version, release.host, options.work), wanted))
        building = {
            (name, release.version): pool.submit(start, release, name) for name in names for release in wanted
        }
        done = {key: future.result() for key, future in building.items()}
    return {key: library for key, library in done.items() if library}


def run_all(
    libraries: Mapping[tuple[str, str], Path], releases: Sequence[Release], options: _Options
) -> dict[Cell, Outcome]:
    """Return how each library does on each release."""
    cells = [(EXTENSIONS[name].check, library) for (name, _), library in libraries.items()]

    def start(release: Release) -> list[Outcome]:
        print(f"run on {release.version} ...", file=sys.stderr)
        folder = runtime_folder(release.version, release.host, options.work)
        return run_on(folder, cells, options.work / release.version / "cells.json")

    wanted = [release for release in releases if release.version in options.on or not options.on]
    with ThreadPoolExecutor(options.jobs) as pool:
        done = dict(zip(wanted, pool.map(start, wanted)))
    return {
        (*key, release.version): outcome
        for release, outcomes in done.items()
        for key, outcome in zip(libraries, outcomes)
    }


def table(data: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table in Markdown: what fails."""
    lines = ["| extension | built with | fails on |", "|---|---|---|"]
    for name, row in data["extensions"].items():
        rows = [(pair["built"], pair["fails_on"]) for pair in row["pairs"]] or [(row["builds"], "never")]
        lines += [f"| {name} | {built} | {on} |" for built, on in rows]
    return lines


def explanations(outcomes: Mapping[Cell, Outcome]) -> list[str]:
    """Return a line for each way in which an extension fails, and where it does so first."""
    ways: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for (name, built, on), outcome in outcomes.items():
        if outcome.status:
            ways.setdefault((name, str(outcome)), []).append((built, on))
    return [
        f"{name}, {len(cells)} times, such as built with {cells[0][0]} on {cells[0][1]}: {how}"
        for (name, how), cells in ways.items()
    ]


if __name__ == "__main__":
    main()
