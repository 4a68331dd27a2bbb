"""Known breaks: pairs of releases of which a library built against one fails on the other, as found by trying.

What the symbols of a library say is not repeated here, unless there is more to say about it than that one is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .spans import parse_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Break", "parse_breaks"]


_WORDS = ("what", "pairs", "condition", "signals", "complete", "issues")
_SIGNALS = ("imports", "leaks", "strings", "python")


class Break(NamedTuple):
    """One way in which releases do not fit together.

    Attributes:
        name: What it is called in messages.
        what: What changed and what happens, in a sentence.
        pairs: Releases built against, and the releases that a library then fails on.
        condition: What must happen at run time for it to fail; None if every library with the signal fails.
        imports: Patterns (:mod:`fnmatch`) of undefined symbols, any of which tells that a library is concerned.
        leaks: The same, for symbols that count only if they are undefined without a version.
        strings: What a library that is concerned contains, any of them.
        python: If there are any: a library with another signal is concerned only where one of these words is in the
            Python files that come with it.
        complete: Whether a library with none of these signals is surely not concerned.
        issues: Where to read more, as ``owner/repository#number``.

    """

    name: str
    what: str
    pairs: tuple[tuple[frozenset[str], frozenset[str]], ...]
    condition: str | None
    imports: tuple[str, ...]
    leaks: tuple[str, ...]
    strings: tuple[str, ...]
    python: tuple[str, ...]
    complete: bool
    issues: tuple[str, ...]

    def separates(self, built: str, runtime: str) -> bool:
        """Say whether a library that was built against a release and is concerned fails on a runtime."""
        return any(built in builds and runtime in runtimes for builds, runtimes in self.pairs)


def parse_breaks(data: Mapping[str, Any], releases: Sequence[str]) -> tuple[Break, ...]:
    """Return the breaks that are described in the file's table.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: It is not such a table.

    """
    return tuple(_parse_break(name, row, releases) for name, row in data.items())


def _parse_break(name: str, row: Mapping[str, Any], releases: Sequence[str]) -> Break:
    pairs = tuple(
        (parse_span(pair["built"], releases), parse_span(pair["fails_on"], releases)) for pair in row["pairs"]
    )
    imports, leaks, strings, python = (_require_strings(row["signals"].get(kind, [])) for kind in _SIGNALS)
    unknown = {*row, *row["signals"]} - {*_WORDS, *_SIGNALS}
    what, condition, complete = row["what"], row["condition"], row["complete"]
    if unknown or not pairs or not isinstance(what, str) or not isinstance(condition, (str, type(None))):
        raise ValueError(name)
    if not isinstance(complete, bool):
        raise TypeError(name)
    return Break(
        name, what, pairs, condition, imports, leaks, strings, python, complete, _require_strings(row["issues"])
    )


def _require_strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise TypeError(value)
    return tuple(value)
