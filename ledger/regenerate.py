"""Derives the ledger from the releases on the package index: ``python ledger/regenerate.py [--check] [--work FOLDER]``.

What the contract reads goes into the wheel's ``ledger.json``, the rest into ``interfaces.json`` for ``report.py``.

Downloads the wheels for one Python on every platform and compiles against each release, which takes minutes; the second
time only for what is new. Needs g++, pip and, for releases to be imported, Linux on x86_64 with a Python that all of
them have wheels for: 3.9 to 3.13. ``--check`` writes nothing, says line by line in what the data here differs from the
releases, and exits with 1 if it does.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from facts import DisagreementError, facts_of
from fold import fold, render, unfold
from options import add_check, add_work, exit_if_a_program_fails, write_whole
from releases import list_releases
from report import INTERFACES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from facts import Fact

LEDGER = Path(__file__).resolve().parents[1] / "tvm_ffi_build" / "contract" / "releases" / "ledger.json"


def main() -> None:
    """Derive, then write or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_check(parser)
    parser.add_argument("--only", nargs="+", metavar="VERSION", help="with --check: look at these releases alone")
    add_work(parser, "directory for downloads")
    arguments = parser.parse_args()
    if arguments.only and not arguments.check:
        parser.error("--only goes with --check: the ledger is of all releases")

    try:
        with exit_if_a_program_fails():
            derived = derive(arguments.work.resolve(), arguments.only)
    except DisagreementError as error:
        sys.exit(str(error))
    recorded = read_recorded() if arguments.check else {}
    derived = with_telling_parameters(derived, recorded if arguments.only else derived)
    missing = sorted({*(arguments.only or ())} - {*derived})
    if missing:
        sys.exit(f"the index has no final release {', '.join(missing)}")

    if not arguments.check:
        for path, text in render_files(derived).items():
            write_whole(path, text)
        return
    if arguments.only is not None:
        recorded = {version: facts for version, facts in recorded.items() if version in arguments.only}
    different = list(differences(recorded, derived))
    # The same facts in another order, or in other words, are what a hand has written.
    if not different and arguments.only is None:
        different = [
            f"{path.name} is not as this program writes it"
            for path, text in render_files(derived).items()
            if path.read_text(encoding="utf-8") != text
        ]
    print("\n".join(different) if different else "no difference")
    sys.exit(bool(different))


def derive(work: Path, only: Sequence[str] | None) -> dict[str, set[Fact]]:
    """Return the facts about all releases, or about some, and say which one it is at."""
    facts: dict[str, set[Fact]] = {}
    for release in list_releases():
        if only is None or release.version in only:
            print(f"{release.version} ...", file=sys.stderr)
            facts[release.version] = facts_of(release, work)
    return facts


def read_recorded() -> dict[str, set[Fact]]:
    """Return the facts that both files have about each release."""
    ledger, interfaces = (unfold(path.read_text(encoding="utf-8")) for path in (LEDGER, INTERFACES))
    return {
        release: ledger.get(release, set()) | interfaces.get(release, set()) for release in {**ledger, **interfaces}
    }


def render_files(facts: Mapping[str, set[Fact]]) -> dict[Path, str]:
    """Return the text of each file, by its path."""

    def render_tables(*, reported: bool) -> str:
        return render(
            fold({name: {fact for fact in some if (fact[0] in TABLES) == reported} for name, some in facts.items()})
        )

    return {LEDGER: render_tables(reported=False), INTERFACES: render_tables(reported=True)}


def with_telling_parameters(
    facts: Mapping[str, set[Fact]], everywhere: Mapping[str, set[Fact]]
) -> dict[str, set[Fact]]:
    """Leave out the parameters that functions have had from their first release to the last: nobody can miss them.

    Args:
        facts: What to leave them out of.
        everywhere: The facts about all releases.

    """
    telling = {
        fact
        for some in everywhere.values()
        for fact in some
        if fact[0] == "parameters" and _is_missing_somewhere(fact, everywhere)
    }
    return {
        release: {fact for fact in some if fact[0] != "parameters" or fact in telling}
        for release, some in facts.items()
    }


def _is_missing_somewhere(fact: Fact, everywhere: Mapping[str, set[Fact]]) -> bool:
    _, function, _ = fact
    module, _, name = function.rpartition(".")
    return any(fact not in some and ("python", module, name) in some for some in everywhere.values())


def differences(recorded: Mapping[str, set[Fact]], derived: Mapping[str, set[Fact]]) -> Iterator[str]:
    """Yield a line for each fact that only one of the two has."""
    for version in dict.fromkeys([*recorded, *derived]):
        if version not in recorded or version not in derived:
            yield f"{version}: only {'in the ledger' if version in recorded else 'on the index'}"
            continue
        for fact in sorted(recorded[version] ^ derived[version]):
            where = "in the ledger" if fact in recorded[version] else "in the release"
            yield f"{version}: only {where}: {' / '.join(fact)}"


if __name__ == "__main__":
    main()
