"""Print what changed from one release of the runtime to the next: ``python ledger/report.py [OLD NEW]``.

For whoever writes ``breaks.json``. A size that changed or a function that is gone can break libraries, but only a run
on both releases (``matrix.py``) shows whether it does. So these tables are kept beside the programs that need them and
are not part of the wheel: the contract concludes from breaks, not from sizes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fold import unfold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from facts import Fact

__all__ = ["INTERFACES", "TABLES", "list_changes", "read_interfaces"]

INTERFACES = Path(__file__).with_name("interfaces.json")

# Registered names, and what layouts.py measures: bytes, with "&" after what is passed by reference to a copy.
TABLES = frozenset({"functions", "signatures", "sizes", "slots", "type_keys"})


def main() -> None:
    """Print the changes between two releases, or between each release and the next."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("releases", nargs="*", metavar="RELEASE", help="two releases (default: each and the next)")
    arguments = parser.parse_args()
    interfaces = read_interfaces()
    unknown = [release for release in arguments.releases if release not in interfaces]
    if unknown:
        parser.error(f"no such release in {INTERFACES.name}: {unknown[0]}; the newest is {list(interfaces)[-1]}")
    if len(arguments.releases) not in {0, 2}:
        parser.error("name two releases, or none for all")

    releases = arguments.releases or list(interfaces)
    for before, after in zip(releases, releases[1:]):
        print(f"{before} -> {after}")
        for line in list_changes(interfaces[before], interfaces[after]):
            print(f"  {line}")


def read_interfaces() -> dict[str, set[Fact]]:
    """Return the facts about each release, oldest first."""
    return unfold(INTERFACES.read_text(encoding="utf-8"))


def list_changes(before: Collection[Fact], after: Collection[Fact]) -> Iterator[str]:
    """Yield a line for each name that was added or removed, or whose size changed."""
    old, new = (_by_name(facts) for facts in (before, after))
    for table, name in sorted(old.keys() | new.keys()):
        values = [values.get((table, name), "absent") for values in (old, new)]
        if values[0] != values[1]:
            yield f"{table}: {name}: {values[0]} -> {values[1]}"


def _by_name(facts: Collection[Fact]) -> dict[tuple[str, str], str]:
    return {(table, name): size[0] if size else "present" for table, name, *size in facts}


if __name__ == "__main__":
    main()
