"""What the contract reads from the libraries of the matrix, so that what it concludes can be checked without them.

Written to ``readings.json`` by ``matrix.py``: what was found in each extension, and in the libraries of which releases.
What is concluded from that changes with the known breaks; what is found only if they ask for other texts.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.contract.evidence.needs import Traces, read_traces
from tvm_ffi_build.contract.releases.spans import as_span, parse_span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tvm_ffi_build.contract import Ledger

__all__ = ["READINGS", "fold_readings", "read_libraries", "render_readings", "unfold_readings"]

READINGS = Path(__file__).with_name("readings.json")

_SCHEMA = 1
_TABLES = ("symbols", "leaks", "strings")


def read_libraries(libraries: Mapping[tuple[str, str], Path], ledger: Ledger) -> dict[tuple[str, str], Traces]:
    """Return what is found in libraries, by extension and the release built against.

    They are stripped first, as they are when they are installed into a wheel.
    """
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder, "stripped.so")
        for (name, built), library in libraries.items():
            command: list[str | Path] = ["strip", "-o", stripped, library]
            subprocess.run(command, check=True)
            found[name, built] = read_traces(stripped, read_binary(stripped), ledger, name=name)
    return found


def fold_readings(readings: Mapping[tuple[str, str], Traces], ledger: Ledger) -> dict[str, Any]:
    """Return the content of the file."""
    extensions = {}
    for name in sorted({name for name, _ in readings}):
        by_release = {built: traces for (one, built), traces in readings.items() if one == name}
        row: dict[str, Any] = {"builds": as_span(by_release, ledger.releases)}
        for table in _TABLES:
            entries = {entry for traces in by_release.values() for entry in getattr(traces, table)}
            row[table] = {
                entry: as_span([one for one in by_release if entry in getattr(by_release[one], table)], ledger.releases)
                for entry in sorted(entries)
            }
        row["lines"] = {
            one: as_span(by_release[one].lines, ledger.releases) for one in ledger.releases if one in by_release
        }
        extensions[name] = row
    return {"schema": _SCHEMA, "looked_for": sorted(ledger.searched_texts), "extensions": extensions}


def unfold_readings(data: Mapping[str, Any], ledger: Ledger) -> dict[tuple[str, str], Traces]:
    """Return what was found, from the content of the file.

    Raises:
        ValueError: It is of another format, or of a ledger whose breaks and marks look for other texts.

    """
    if data["schema"] != _SCHEMA or set(data["looked_for"]) != ledger.searched_texts:
        raise ValueError("readings.json is not of these breaks and marks; run: python ledger/matrix.py")
    found = {}
    for name, row in data["extensions"].items():
        spans = {
            table: {entry: parse_span(span, ledger.releases) for entry, span in row[table].items()} for table in _TABLES
        }
        for built in parse_span(row["builds"], ledger.releases):
            symbols, leaks, strings = (
                frozenset(entry for entry, releases in spans[table].items() if built in releases) for table in _TABLES
            )
            lines = parse_span(row["lines"][built], ledger.releases)
            found[name, built] = Traces(symbols, leaks, strings, None, lines)
    return found


def render_readings(data: Mapping[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(data, indent=1) + "\n"
