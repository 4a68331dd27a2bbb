"""Builds extensions against every release, runs them on every release: ``python ledger/matrix.py [--check]``.

Writes what fails where to ``observed.json`` and what can be read from the libraries to ``readings.json``, for what the
contract derives from that to be held against it (``beside.py``), and prints what fails as a table. ``--check`` writes
nothing, says line by line in what the data here differs from what happens, and exits with 1 if it does. All of it takes
an hour of one core; the second time seconds, and after a change what has to be built and run again. Needs gcc, g++,
strip, pip, Linux on x86_64, and a Python that all releases have wheels for: 3.9 to 3.13.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from builds import EXTENSIONS, build
from cells import OBSERVED, differences, fold, render, unfold
from options import add_check, add_jobs, add_selection, add_work, exit_if_a_program_fails, write_whole
from readings import READINGS, fold_readings, read_libraries, render_readings
from releases import list_releases, runtime_folder
from runs import run_on

from tvm_ffi_build.contract import read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from builds import Build
    from cells import Cell
    from releases import Release
    from runs import Outcome


class _Options(argparse.Namespace):
    check: bool
    extension: list[str]
    built: list[str]
    on: list[str]
    explain: bool
    jobs: int
    work: Path


def main() -> None:
    """Build and run, then write or compare."""
    options = _parse()
    with exit_if_a_program_fails():
        releases = list_releases()
        versions = [release.version for release in releases]
        missing = sorted({*options.built, *options.on} - {*versions})
        if missing:
            sys.exit(f"the index has no final release {', '.join(missing)}")
        builds = build_all(releases, options)
        libraries = {key: made.library for key, made in builds.items() if made.library}
        outcomes = run_all(libraries, releases, options)

    observed = {cell: outcome.status == 0 for cell, outcome in outcomes.items()}
    print("\n".join(table(fold(observed, versions))))
    if options.explain:
        print("", *explanations(builds, outcomes), sep="\n")
    if options.check:
        different = list(differences(_recorded(options, versions), observed, versions))
        print("", *(different or ["no difference"]), sep="\n")
        sys.exit(bool(different))
    write_whole(OBSERVED, render(fold(observed, versions)))
    ledger = read_ledger()
    write_whole(READINGS, render_readings(fold_readings(read_libraries(libraries, ledger), ledger)))


def _parse() -> _Options:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_check(parser)
    add_selection(parser, "--extension", choices=EXTENSIONS, metavar="NAME")
    add_selection(parser, "--built", meaning="built against ")
    add_selection(parser, "--on", meaning="run on ")
    parser.add_argument("--explain", action="store_true", help="print how they fail, and why some cannot be built")
    add_jobs(parser)
    add_work(parser)
    options = parser.parse_args(namespace=_Options())
    if (options.extension or options.built or options.on) and not options.check:
        parser.error("--extension, --built and --on go with --check: the data is of all")
    options.work = options.work.resolve()
    return options


def build_all(releases: Sequence[Release], options: _Options) -> dict[tuple[str, str], Build]:
    """Return what became of each extension that was asked for, by its name and the release it was built against."""
    wanted = [release for release in releases if release.version in (options.built or [release.version])]
    # One after the other: two threads must not make the same folder.
    folders = {release.version: runtime_folder(release.version, release.host, options.work) for release in wanted}

    def start(key: tuple[str, str]) -> Build:
        name, version = key
        print(f"build {name} {version} ...", file=sys.stderr)
        return build(EXTENSIONS[name].source, folders[version], options.work / version / "extensions")

    keys = [(name, version) for name in options.extension or EXTENSIONS for version in folders]
    with ThreadPoolExecutor(options.jobs) as pool:
        return dict(zip(keys, pool.map(start, keys)))


def run_all(
    libraries: Mapping[tuple[str, str], Path], releases: Sequence[Release], options: _Options
) -> dict[Cell, Outcome]:
    """Return how each library does on each release that was asked for."""
    wanted = [release for release in releases if release.version in (options.on or [release.version])]
    folders = {release.version: runtime_folder(release.version, release.host, options.work) for release in wanted}
    cells = [(EXTENSIONS[name].check, library) for (name, _), library in libraries.items()]

    def start(version: str) -> list[Outcome]:
        print(f"run on {version} ...", file=sys.stderr)
        return run_on(folders[version], cells, options.work / version / "cells.json")

    with ThreadPoolExecutor(options.jobs) as pool:
        done = dict(zip(folders, pool.map(start, folders)))
    return {(*key, version): outcome for version, outcomes in done.items() for key, outcome in zip(libraries, outcomes)}


def table(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table in Markdown: what fails."""
    yield from ("| extension | built with | fails on |", "|---|---|---|")
    for name, row in data["extensions"].items():
        for pair in row["pairs"] or [{"built": row["builds"], "fails_on": "none"}]:
            yield f"| {name} | {pair['built']} | {pair['fails_on']} |"


def explanations(builds: Mapping[tuple[str, str], Build], outcomes: Mapping[Cell, Outcome]) -> Iterator[str]:
    """Yield a line for each way in which an extension fails to build or to run, with the first that does."""
    ways: dict[tuple[str, str], list[str]] = {}
    for (name, built), made in builds.items():
        if not made.library:
            ways.setdefault((name, made.refusal), []).append(f"built against {built}")
    for (name, built, on), outcome in outcomes.items():
        if outcome.status:
            ways.setdefault((name, str(outcome)), []).append(f"built against {built}, on {on}")
    for (name, how), where in ways.items():
        yield f"{name}, {where[0]} and {len(where) - 1} others: {how}"


def _recorded(options: _Options, versions: Sequence[str]) -> dict[Cell, bool]:
    """Return the recorded cells of those that were asked for."""
    recorded = unfold(json.loads(OBSERVED.read_text(encoding="utf-8")), versions)
    asked_for = (options.extension, options.built, options.on)
    return {
        cell: works
        for cell, works in recorded.items()
        if all(part in (some or [part]) for part, some in zip(cell, asked_for))
    }


if __name__ == "__main__":
    main()
