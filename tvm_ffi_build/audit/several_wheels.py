"""What several wheels do to each other in one process, as far as what was read of each tells."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from .findings import Finding, Problem
from .private_libraries import describe_renaming
from .rules.library_files import TAKEN_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .audit_settings import Settings
    from .audit_wheels import Report

__all__ = ["add_taken_names"]


def add_taken_names(reports: Sequence[Report], settings: Settings) -> list[Report]:
    """Return reports on wheels, the later of two that have libraries of one name with a finding that says so."""
    found = list(reports)
    if not settings.asks_for(TAKEN_NAME.id):
        return found
    for (_, first), (number, second) in combinations(enumerate(reports), 2):
        # Two wheels of one distribution are never installed together.
        if _read_distribution(first) != _read_distribution(second):
            new = tuple(
                Finding(TAKEN_NAME, problem.with_short_words())
                for problem in _find_taken_names(first, second)
                if not settings.ignores(TAKEN_NAME.id, problem.file)
            )
            found[number] = found[number]._replace(findings=(*found[number].findings, *new))
    return found


def _read_distribution(report: Report) -> str:
    return canonicalize_name(report.path.name.partition("-")[0])


def _find_taken_names(first: Report, second: Report) -> Iterator[Problem]:
    theirs = {library[:3]: library for library in first.private_libraries}
    for library in second.private_libraries:
        other = theirs.get(library[:3])
        # The same library is as good from either.
        if other is not None and set(other.fingerprints.values()) != set(library.fingerprints.values()):
            file, their_file = min(library.fingerprints), min(other.fingerprints)
            yield Problem(
                f"{file} and {their_file} of {first.path.name} are different libraries with the name {library.name}: a "
                "process that imports both packages calls the one that is loaded first for both",
                f"rename one: {describe_renaming(second.path, library.name)}",
                file,
                (f"{second.path.name}: {file}", f"{first.path.name}: {their_file}"),
            )
