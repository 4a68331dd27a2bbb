"""What the contract derives from a library beside what was observed when it ran."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Callable

from tvm_ffi_build.contract.spans import as_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cells import Cell

__all__ = ["WORDS", "Derive", "judge", "mistakes", "shares"]

# What it may say of a library on a release.
WORDS = ("ok", "warn", "bad", "unknown")

# Takes a library and the release it was built against, which a record would say; answers for each release.
Derive = Callable[["Path", str], "Mapping[str, str]"]


def judge(
    observed: Mapping[Cell, bool], libraries: Mapping[tuple[str, str], Path], derive: Derive
) -> dict[Cell, tuple[bool, str]]:
    """Return for each cell whether it works, and what was derived."""
    derived = {key: derive(library, key[1]) for key, library in libraries.items()}
    return {cell: (works, derived[cell[:2]].get(cell[2], "unknown")) for cell, works in observed.items()}


def shares(judged: Mapping[Cell, tuple[bool, str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown: how often which word was said of what works and of what fails."""
    columns = [(works, word) for works in (True, False) for word in WORDS]
    yield (
        "| extension | "
        + " | ".join(f"{'works' if works else 'fails'}: {word}" for works, word in columns)
        + " | warn |"
    )
    yield "|---" * (len(columns) + 2) + "|"
    names = sorted({name for name, _, _ in judged})
    for name in [*names, "all"]:
        count = Counter(verdict for cell, verdict in judged.items() if name in {cell[0], "all"})
        warned = (count[True, "warn"] + count[False, "warn"]) / sum(count.values())
        yield f"| {name} | " + " | ".join(str(count[column]) for column in columns) + f" | {warned:.0%} |"


def mistakes(judged: Mapping[Cell, tuple[bool, str]], releases: Sequence[str]) -> Iterator[str]:
    """Yield a line for each library of which it was said that it fails where it works, or the other way round."""
    wrong: dict[tuple[str, str, str], list[str]] = {}
    for (name, built, on), (works, word) in judged.items():
        if (works, word) in {(True, "bad"), (False, "ok")}:
            wrong.setdefault((name, built, "works" if works else "fails"), []).append(on)
    for (name, built, what), some in wrong.items():
        yield f"{name}, built with {built}: {what} on {as_span(some, releases)}, of which the opposite was derived"
