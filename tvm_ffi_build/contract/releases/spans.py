"""Some of the releases, in words: ``0.1.6..`` is since, ``..0.1.12`` is until and with it, ``..`` is all.

A bound that is not said stays true when the next release comes, so most of the ledger does not change then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["as_closed_span", "as_span", "parse_span"]


def parse_span(text: str, releases: Sequence[str]) -> frozenset[str]:
    """Return the releases that are meant, out of all, which are given oldest first.

    >>> sorted(parse_span("..0.2, 0.4..", ["0.1", "0.2", "0.3", "0.4", "0.5"]))
    ['0.1', '0.2', '0.4', '0.5']

    Raises:
        ValueError: A release is none of these, or they are not in order.

    """
    found: list[str] = []
    end = -1
    for run in text.split(", "):
        since, dots, until = run.partition("..")
        first = releases.index(since) if since else 0
        last = (releases.index(until) if until else len(releases) - 1) if dots else first
        if not (since or dots) or not end < first <= last:
            raise ValueError(text)
        found += releases[first : last + 1]
        end = last
    return frozenset(found)


def as_span(some: Collection[str], releases: Sequence[str]) -> str:
    """Return some releases, at least one, in words; one that is not among all of them is said as it is.

    >>> as_span({"0.2", "0.3", "0.5"}, ["0.1", "0.2", "0.3", "0.4", "0.5"])
    '0.2..0.3, 0.5..'
    >>> as_span({"0.6"}, ["0.1", "0.2"])
    '0.6'
    """
    runs: list[list[int]] = []
    for index, release in enumerate(releases):
        if release not in some:
            continue
        if runs and runs[-1][-1] == index - 1:
            runs[-1][-1] = index
        else:
            runs.append([index, index])
    return ", ".join([*(_spell_run(first, last, releases) for first, last in runs), *sorted(set(some) - set(releases))])


def as_closed_span(some: Collection[str], releases: Sequence[str]) -> str:
    """Return the same with both ends: what comes next is not meant.

    >>> as_closed_span({"0.2", "0.3", "0.5"}, ["0.1", "0.2", "0.3", "0.4", "0.5"])
    '0.2..0.3, 0.5'
    >>> as_closed_span({"0.4", "0.5"}, ["0.1", "0.2", "0.3", "0.4", "0.5"])
    '0.4..0.5'
    """
    if all(release in some for release in releases):
        return "any release"
    last = releases[-1]
    span = as_span(some, releases)
    if not span.endswith(".."):
        return span
    return span.removesuffix("..") if releases[-2] not in some else f"{span}{last}"


def _spell_run(first: int, last: int, releases: Sequence[str]) -> str:
    until = "" if last == len(releases) - 1 else releases[last]
    if first == last and until:
        return until
    return f"{'' if first == 0 else releases[first]}..{until}"
