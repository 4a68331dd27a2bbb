"""How often the release that a library was built against is among those that its code tells, and how many those are.

``python ledger/estimate.py [--work DIR] [--only RELEASE...]`` takes the testing library that every release has in its
wheels: built against that very release, by GCC, Clang and MSVC, for five platforms, and not by this project.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from releases import list_releases, runtime_folder

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.contract.evidence.needs import read_needs

__all__ = ["Estimate", "estimates", "main"]


class Estimate(NamedTuple):
    """What is told of one library.

    Attributes:
        platform: That of the wheel.
        release: What it was built against.
        candidates: What it can have been built against, estimated from its code.

    """

    platform: str
    release: str
    candidates: frozenset[str]


def estimates(work: Path, only: list[str]) -> list[Estimate]:
    """Look at the testing libraries of all releases, or some."""
    ledger = read_ledger()
    found = []
    for release in list_releases():
        if only and release.version not in only:
            continue
        for platform in release.platforms:
            folder = runtime_folder(release.version, platform, work) / "tvm_ffi" / "lib"
            for suffix in ("so", "dylib", "dll"):
                for library in folder.glob(f"*tvm_ffi_testing.{suffix}"):
                    needs = read_needs(library, read_binary(library), ledger, name=library.name)
                    found.append(Estimate(platform.rpartition(".")[2], release.version, needs.built_with))
    return found


def main() -> None:
    """Print a line for each platform, and the misses."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, help="where downloads are kept")
    parser.add_argument("--only", nargs="+", default=[], metavar="RELEASE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = estimates(args.work or Path(temporary), args.only)
    print("| platform | libraries | correct release among the candidates | average number of candidates |")
    print("|---|---|---|---|")
    for platform in sorted({one.platform for one in found}):
        some = [one for one in found if one.platform == platform]
        hits = sum(one.release in one.candidates for one in some)
        count = sum(len(one.candidates) for one in some) / len(some)
        print(f"| {platform} | {len(some)} | {hits} | {count:.1f} |")
    missed = [one for one in found if one.release not in one.candidates]
    if missed:
        sys.exit(f"missed: {missed}")


if __name__ == "__main__":
    main()
