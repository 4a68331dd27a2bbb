"""What a library needs of the runtime, and which releases it can have been built against."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from ...binaries import map_binary
from ...binaries.runtime_calls import is_c_abi_symbol, is_runtime_symbol
from ...binaries.search import find_texts
from ...errors import RecordError
from ...runtime import UNKNOWN_VERSION
from .build_record import find_recorded_runtime
from .header_lines import find_header_sites, releases_with_sites

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from ...binaries import Binary
    from ..releases.breaks import Break
    from ..releases.ledger import Ledger

__all__ = ["Needs", "Traces", "conclude_needs", "read_needs", "read_traces"]


class Needs(NamedTuple):
    """What is known of one library.

    Attributes:
        name: What it is called in messages.
        symbols: The symbols of the runtime that it does not work without.
        leaks: Symbols of the C++ library that it takes from wherever they are first, the runtime included.
        judged_as: The releases of the ledger that it can have been built against, as far as its code tells; one if it
            says so itself and the ledger knows that one.
        recorded: The release that it says it was built against, known or not; None if it says nothing.
        breaks: The known breaks that it is concerned by.

    """

    name: str
    symbols: frozenset[str]
    leaks: frozenset[str]
    judged_as: frozenset[str]
    recorded: str | None
    breaks: tuple[Break, ...]

    @property
    def built_with(self) -> frozenset[str]:
        """The releases that it can have been built against; the one that it says itself need not be in the ledger."""
        if self.recorded is None or self.recorded == UNKNOWN_VERSION:
            return self.judged_as
        return frozenset({self.recorded})


class Traces(NamedTuple):
    """What can be read from a library, before anything is concluded from it.

    Attributes:
        symbols: The symbols of the runtime that it does not work without.
        leaks: Symbols of the C++ library that it takes from wherever they are first, the runtime included.
        strings: What it contains of all that tells of a break or of a release.
        recorded: The release that it says it was built against, known or not; None if it says nothing.
        lines: The releases whose headers have the lines that its code names; all, where that was not looked for.

    """

    symbols: frozenset[str]
    leaks: frozenset[str]
    strings: frozenset[str]
    recorded: str | None
    lines: frozenset[str]


def read_needs(
    path: Path,
    binary: Binary,
    ledger: Ledger,
    *,
    name: str,
    python: Container[str] = "",
    beside: frozenset[str] = frozenset(),
) -> Needs:
    """Find out what a library needs.

    Args:
        path: Where it is.
        binary: What it says of itself.
        ledger: What is known of the runtime's releases.
        name: What to call it.
        python: What is in the Python files that come with it: their text, or the words in it that breaks ask for.
        beside: The symbols of the libraries that come with it.

    Raises:
        RecordError: What it says it was built against is damaged, or cannot be.

    """
    traces = read_traces(path, binary, ledger, name=name)
    # A library may define something in the runtime's namespace, a TypeTraits of its own above all. What a release has
    # is the runtime's, wherever else it is.
    symbols = traces.symbols - (beside - ledger.symbols.keys())
    return conclude_needs(traces._replace(symbols=symbols), ledger, name=name, python=python)


def read_traces(path: Path, binary: Binary, ledger: Ledger, *, name: str) -> Traces:
    """Read what tells of a library's needs; the lines only where it does not say itself what it was built against."""
    imports = [symbol for image in binary.images for symbol in image.imports]
    # What is weak may be missing.
    symbols = frozenset(symbol.name for symbol in imports if not symbol.weak and is_runtime_symbol(symbol.name))
    # On Linux symbols are taken from the first library that has them, whatever it was linked against; a version says
    # which it has to be. Elsewhere every symbol is looked for in one library.
    open_ones = {symbol.name for symbol in imports if binary.format == "ELF" and not (symbol.weak or symbol.version)}
    leaks = frozenset(name for name in open_ones - symbols if ledger.releases_with_leak(name))
    wanted = [text.encode() for text in ledger.searched_texts]
    strings = frozenset(text.decode() for text in find_texts(path, wanted, binary.text_parts))
    with map_binary(path) as data:
        recorded = find_recorded_runtime(binary, data, name)
    known = recorded in ledger.releases
    lines = frozenset(ledger.releases) if known else releases_with_sites(find_header_sites(path, binary), ledger)
    return Traces(symbols, leaks, strings, recorded, lines)


def conclude_needs(traces: Traces, ledger: Ledger, *, name: str, python: Container[str] = "") -> Needs:
    """Conclude what a library needs from what was read from it, as :func:`read_needs` does."""
    recorded = frozenset(ledger.releases) & {traces.recorded}
    for symbol in sorted(traces.symbols):
        if symbol not in ledger.symbols and not is_c_abi_symbol(symbol):
            continue  # of a library that is not seen here, or declared and never defined
        if recorded and recorded.isdisjoint(ledger.symbols.get(symbol, ())):
            raise RecordError(
                f"{name} declares that it was built against {traces.recorded}, which has no {symbol}", "build it again"
            )
    concerned = tuple(known for known in ledger.breaks if _concerns(known, traces, python))
    judged_as = recorded or _estimate_releases(traces, ledger)
    return Needs(name, traces.symbols, traces.leaks, judged_as, traces.recorded, concerned)


def _estimate_releases(traces: Traces, ledger: Ledger) -> frozenset[str]:
    """Return the releases that a library without a record of a known one can have been built against.

    Its headers have left the numbers of their lines and their marks; a linker has seen every symbol that it needs.
    """
    found = traces.lines
    for releases in (
        *(ledger.symbols[symbol] for symbol in traces.symbols if symbol in ledger.symbols),
        *(ledger.releases_with_leak(symbol) for symbol in traces.leaks),
        *(releases for mark, releases in ledger.marks.items() if mark in traces.strings),
    ):
        # Facts that contradict each other say nothing: a library may be linked out of objects of several builds.
        found = found & releases or found
    return found


def _concerns(known: Break, traces: Traces, python: Container[str]) -> bool:
    return (
        any(fnmatchcase(symbol, pattern) for pattern in known.imports for symbol in traces.symbols)
        or any(fnmatchcase(symbol, pattern) for pattern in known.leaks for symbol in traces.leaks)
        or not traces.strings.isdisjoint(known.strings)
    ) and (not known.python or any(word in python for word in known.python))
