"""What was observed: of each extension, what it can be built against, and on which releases it then fails.

In the file, as in ``breaks.json``, these are pairs of spans of releases; here, one word for each cell of the matrix.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_ffi_build.contract.releases.spans import as_span, parse_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["OBSERVED", "Cell", "differences", "fold", "render", "unfold"]

OBSERVED = Path(__file__).with_name("observed.json")

# The name of an extension, the release it was built against, the release it ran on.
Cell = tuple[str, str, str]

_SCHEMA = 1


def fold(cells: Mapping[Cell, bool], releases: Sequence[str]) -> dict[str, Any]:
    """Return the content of the file.

    Args:
        cells: Whether an extension works, for all on which it could be built.
        releases: All of them, oldest first.

    """
    table = {}
    for name in sorted({name for name, _, _ in cells}):
        failing = _failing(cells, name)
        pairs = [
            {
                "built": as_span([built for built in failing if failing[built] == on], releases),
                "fails_on": as_span(on, releases),
            }
            for on in dict.fromkeys(failing[release] for release in releases if failing.get(release))
        ]
        table[name] = {"builds": as_span(failing, releases), "pairs": pairs}
    return {"schema": _SCHEMA, "extensions": table}


def unfold(data: Mapping[str, Any], releases: Sequence[str]) -> dict[Cell, bool]:
    """Return whether an extension works, from the content of the file.

    Raises:
        ValueError: It is of another format.

    """
    if data["schema"] != _SCHEMA:
        raise ValueError(data["schema"])
    cells: dict[Cell, bool] = {}
    for name, row in data["extensions"].items():
        cells |= {(name, built, on): True for built in parse_span(row["builds"], releases) for on in releases}
        for pair in row["pairs"]:
            failing_on = parse_span(pair["fails_on"], releases)
            cells |= {(name, built, on): False for built in parse_span(pair["built"], releases) for on in failing_on}
    return cells


def render(data: Mapping[str, Any]) -> str:
    """Return the text of the file, with a line for each pair."""
    rows = []
    for name, row in data["extensions"].items():
        pairs = ",".join(f"\n    {json.dumps(pair)}" for pair in row["pairs"])
        end = "\n   " if pairs else ""
        rows.append(f'  "{name}": {{\n   "builds": "{row["builds"]}",\n   "pairs": [{pairs}{end}]\n  }}')
    body = ",\n".join(rows)
    return f'{{\n "schema": {data["schema"]},\n "extensions": {{\n{body}\n }}\n}}\n'


def differences(recorded: Mapping[Cell, bool], observed: Mapping[Cell, bool], releases: Sequence[str]) -> Iterator[str]:
    """Yield a line for each library that does otherwise than recorded."""
    for name, built in dict.fromkeys((name, built) for name, built, _ in [*recorded, *observed]):
        said = [_on(cells, name, built, releases) for cells in (recorded, observed)]
        if said[0] != said[1]:
            yield f"{name}, built with {built}: recorded: {said[0]}; observed: {said[1]}"


def _on(cells: Mapping[Cell, bool], name: str, built: str, releases: Sequence[str]) -> str:
    ran = {on: cells[name, built, on] for on in releases if (name, built, on) in cells}
    failing = [on for on, works in ran.items() if not works]
    if not ran:
        return "cannot be built"
    return f"fails on {as_span(failing, releases)}" if failing else "works"


def _failing(cells: Mapping[Cell, bool], name: str) -> dict[str, frozenset[str]]:
    """Return the releases that an extension fails on, by the release it was built against."""
    failing: dict[str, set[str]] = {}
    for (extension, built, on), works in cells.items():
        if extension == name:
            failing.setdefault(built, set()).update(() if works else (on,))
    return {built: frozenset(some) for built, some in failing.items()}
