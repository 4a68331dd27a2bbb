"""Turns the facts about each release into the ledger: a tree of names whose leaves say in which releases that is so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tvm_ffi_build.contract.releases.spans import as_span, parse_span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from facts import Fact

__all__ = ["fold", "render", "unfold"]

_WIDTH = 120


def fold(facts: Mapping[str, Collection[Fact]]) -> dict[str, Any]:
    """Return the ledger of releases, oldest first, and the facts about each."""
    releases = list(facts)
    found: dict[Fact, list[str]] = {}
    for release in releases:
        for fact in facts[release]:
            found.setdefault(fact, []).append(release)
    ledger: dict[str, Any] = {"schema": 1, "releases": releases}
    for fact in sorted(found, key=_naturally):
        branch = ledger
        for word in fact[:-1]:
            branch = branch.setdefault(word, {})
        branch[fact[-1]] = as_span(found[fact], releases)
    return ledger


def unfold(text: str) -> dict[str, set[Fact]]:
    """Return what :func:`fold` was given, from the ledger as it is written."""
    ledger = json.loads(text)
    del ledger["schema"]
    releases = ledger.pop("releases")
    facts: dict[str, set[Fact]] = {release: set() for release in releases}
    for *words, span in _leaves(ledger):
        for release in parse_span(span, releases):
            facts[release].add(tuple(words))
    return facts


def _leaves(tree: dict[str, Any] | str) -> Iterator[list[str]]:
    """Yield the words on the way to each leaf, and the leaf."""
    if isinstance(tree, str):
        yield [tree]
        return
    for word, branch in tree.items():
        yield from ([word, *rest] for rest in _leaves(branch))


def _naturally(fact: Fact) -> list[list[tuple[int, str]]]:
    """Return what to sort by so that 0.1.9 comes before 0.1.10."""
    return [[(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", word)] for word in fact]


def render(ledger: Mapping[str, Any]) -> str:
    """Return the ledger as JSON with one entry a line."""
    return "\n".join(_lines(ledger, "", "")) + "\n"


def _lines(value: Any, lead: str, end: str) -> Iterator[str]:
    short = f"{lead}{json.dumps(value)}{end}"
    depth = len(lead) - len(lead.lstrip())
    if not isinstance(value, (dict, list)) or (depth > 1 and len(short) <= _WIDTH):
        yield short
        return
    items = (
        [(f"{json.dumps(key)}: ", item) for key, item in value.items()]
        if isinstance(value, dict)
        else [("", item) for item in value]
    )
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield f"{lead}{opening}"
    for number, (key, item) in enumerate(items, 1):
        yield from _lines(item, f"{' ' * (depth + 1)}{key}", "," if number < len(items) else "")
    yield f"{' ' * depth}{closing}{end}"
