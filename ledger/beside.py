"""Writes into the manual what is derived of the matrix beside what was observed: ``python ledger/beside.py [--check]``.

From ``observed.json`` and ``readings.json``, which ``matrix.py`` writes, and the ledger as it is now: so it tells at
once what a change to ``breaks.json`` does. Beside these the estimates that ``compilers.py`` has found. ``--check``
writes nothing, and exits with 1 if the manual is behind.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from builds import EXTENSIONS
from cells import OBSERVED, unfold
from compilers import ESTIMATED, estimate_rows, unfold_estimates
from readings import READINGS, unfold_readings
from verdicts import derived, judge, mistakes, shares

from tvm_ffi_build.contract import read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verdicts import Judged

__all__ = ["PAGE", "judge_matrix", "page_with_tables", "python_sides"]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "contract.md"

_PLACE = "<!-- {} (python ledger/beside.py) -->"
_TITLES = {True: "matrix with records", False: "matrix without records"}


def main() -> None:
    """Write the tables, and print where they say what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the manual is behind")
    check = parser.parse_args().check
    for recorded, title in _TITLES.items():
        judged = judge_matrix(recorded=recorded)
        print(f"# {title}", *shares(judged), "", *mistakes(judged, read_ledger().releases), "", sep="\n")
    text = PAGE.read_text(encoding="utf-8")
    changed = page_with_tables(text)
    if check and changed != text:
        sys.exit(f"{PAGE.name} is behind; run: python ledger/beside.py")
    PAGE.write_text(changed, encoding="utf-8")


def judge_matrix(*, recorded: bool) -> Judged:
    """Return for each cell of the matrix whether it works, and what is derived now.

    Args:
        recorded: Whether the libraries say what they were built against.

    """
    ledger = read_ledger()
    observed = unfold(json.loads(OBSERVED.read_text(encoding="utf-8")), ledger.releases)
    readings = unfold_readings(json.loads(READINGS.read_text(encoding="utf-8")), ledger)
    return judge(observed, derived(readings, python_sides(), ledger, recorded=recorded))


def python_sides() -> dict[str, str]:
    """Return the Python that comes with each extension: the program that tries it."""
    return {name: extension.check.read_text(encoding="utf-8") for name, extension in EXTENSIONS.items()}


def page_with_tables(text: str) -> str:
    """Return the page of the manual with the tables as they are now."""
    for title, rows in _tables():
        start = _PLACE.format(title)
        end = _PLACE.format(f"end of {title}")
        before, _, rest = text.partition(start)
        text = before + "\n".join([start, "", *rows, "", end]) + rest.partition(end)[2]
    return text


def _tables() -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the title and the lines of each table."""
    yield "estimates", estimate_rows(unfold_estimates(json.loads(ESTIMATED.read_text(encoding="utf-8"))))
    for recorded, title in _TITLES.items():
        yield title, iter(shares(judge_matrix(recorded=recorded)))


if __name__ == "__main__":
    main()
