"""What several wheels do to each other in one process, as far as what was read of each tells."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from .findings import select_findings
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .audit_settings import Settings
    from .audit_wheels import Report

__all__ = ["check_pairs"]


def check_pairs(reports: Sequence[Report], settings: Settings) -> list[Report]:
    """Return the reports, the later one of two with what rules find wrong about both together."""
    found = list(reports)
    for (_, first), (number, second) in combinations(enumerate(reports), 2):
        # Two wheels of one distribution are never installed together.
        if _read_distribution(first) != _read_distribution(second):
            new = (
                finding
                for rule in RULES.values()
                if settings.asks_for(rule.id)
                for finding in select_findings(rule, rule.check_pair(first, second), settings)
            )
            found[number] = found[number]._replace(findings=(*found[number].findings, *new))
    return found


def _read_distribution(report: Report) -> str:
    return canonicalize_name(report.path.name.partition("-")[0])
