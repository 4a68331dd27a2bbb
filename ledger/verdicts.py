"""What the contract derives from a library beside what was observed when it ran."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tvm_ffi_build.contract.evidence.needs import conclude_needs
from tvm_ffi_build.contract.releases.spans import as_span
from tvm_ffi_build.contract.verdicts import BAD, OK, WARN, derive_verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cells import Cell

    from tvm_ffi_build.contract import Ledger
    from tvm_ffi_build.contract.evidence.needs import Traces
    from tvm_ffi_build.contract.verdicts import Verdict

__all__ = ["Judged", "derived", "judge", "mistakes", "share_of_warnings", "shares"]

# Whether a cell works, and what was derived.
Judged = dict["Cell", tuple[bool, str]]

_COLUMNS = [(works, word) for word in (OK, WARN, BAD) for works in (True, False)]


def derived(
    readings: Mapping[tuple[str, str], Traces], python: Mapping[str, str], ledger: Ledger, *, recorded: bool
) -> dict[tuple[str, str], dict[str, Verdict]]:
    """Return what is derived from libraries, by extension and the release built against.

    Args:
        readings: What was found in them.
        python: The Python side of each extension.
        ledger: What is known of the releases.
        recorded: Whether the libraries say what they were built against, as they do if built with our CMake package.

    """
    found = {}
    for (name, built), traces in readings.items():
        said = traces._replace(recorded=built if recorded else None)
        found[name, built] = derive_verdicts(conclude_needs(said, ledger, name=name, python=python[name]), ledger)
    return found


def judge(observed: Mapping[Cell, bool], verdicts: Mapping[tuple[str, str], Mapping[str, Verdict]]) -> Judged:
    """Return for each cell whether it works, and what was derived."""
    return {cell: (works, verdicts[cell[:2]][cell[2]].status) for cell, works in observed.items()}


def shares(judged: Judged) -> Iterator[str]:
    """Yield the lines of a table in Markdown: how often which word was said of what works and of what fails."""
    heads = [f"{word}, {'works' if works else 'fails'}" for works, word in _COLUMNS]
    yield f"| extension | cells | {' | '.join(heads)} | warn |"
    yield f"|---|{'---:|' * (len(heads) + 2)}"
    for name in [*sorted({name for name, _, _ in judged}), None]:
        some = {cell: verdict for cell, verdict in judged.items() if name in {cell[0], None}}
        count = Counter(some.values())
        numbers = " | ".join(str(count[column]) for column in _COLUMNS)
        yield f"| {name or '**all**'} | {len(some)} | {numbers} | {share_of_warnings(some):.1%} |"


def share_of_warnings(judged: Judged) -> float:
    """Return of how many cells out of one nothing is said but a warning."""
    return sum(word == WARN for _, word in judged.values()) / len(judged)


def mistakes(judged: Judged, releases: Sequence[str]) -> Iterator[str]:
    """Yield a line for what was said to fail where it works, or the other way round: all that is wrong alike."""
    by_library: dict[tuple[str, bool, str], list[str]] = {}
    for (name, built, on), (works, word) in judged.items():
        if (works, word) in {(True, BAD), (False, OK)}:
            by_library.setdefault((name, works, built), []).append(on)
    alike: dict[tuple[str, bool, str], list[str]] = {}
    for (name, works, built), some in by_library.items():
        alike.setdefault((name, works, as_span(some, releases)), []).append(built)
    for (name, works, span), builds in alike.items():
        said = "bad, and works" if works else "ok, and fails"
        yield f"{name}, built with {as_span(builds, releases)}, on {span}: {said}"
