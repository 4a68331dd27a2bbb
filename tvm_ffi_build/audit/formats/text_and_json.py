"""Reports in words, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.version import Version

from ...contract import read_ledger
from ...contract.releases.spans import as_closed_span
from ...runtime import DISTRIBUTION
from ...terminal.output import one_line
from ...terminal.streams import json_text
from ..audit_wheels import Report
from ..findings import ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...contract.assess import Assessment
    from ..findings import Finding

__all__ = ["Failure", "as_json", "as_text", "findings_as_json"]

# Of long lists the first few say enough; JSON has all.
_SHOWN = 3


class Failure(NamedTuple):
    """What could not be audited, and why."""

    path: Path
    message: str


def as_text(reports: Sequence[Report]) -> str:
    """Return what a person wants to know."""
    lines = []
    for report in reports:
        if report.passed_over:
            continue
        lines.append(one_line(report.path.name))
        for finding in report.findings:
            lines += _render_finding(finding)
        if report.assessment is not None:
            lines += [f"  {line}" for line in _render_contract(report.assessment)]
        errors = sum(finding.rule.severity == ERROR for finding in report.findings)
        warnings = len(report.findings) - errors
        lines.append(
            f"  {_count_things(errors, 'error')}, {_count_things(warnings, 'warning')}"
            if report.findings
            else "  clean"
        )
    return "".join(f"{line}\n" for line in lines)


def as_json(reports: Sequence[Report], failures: Sequence[Failure]) -> str:
    """Return everything as data; the schema is in ``docs/reference/audit.md``."""
    artifacts = [_report_as_json(report) for report in reports]
    artifacts += [_report_as_json(Report(path)) | {"status": "failed", "reason": message} for path, message in failures]
    return json_text({"version": 1, "artifacts": artifacts})


def findings_as_json(report: Report) -> list[dict[str, Any]]:
    """Return what a report has found as data."""
    return [
        {
            "rule": rule.id,
            "severity": rule.severity,
            "message": problem.message,
            "file": problem.file or None,
            "evidence": list(problem.evidence),
            "remedy": problem.remedy,
        }
        for rule, problem in report.findings
    ]


def _render_finding(finding: Finding) -> list[str]:
    rule, problem = finding
    evidence = [one_line(one) for one in problem.evidence[:_SHOWN]]
    more = len(problem.evidence) - len(evidence)
    return [
        f"  {rule.id} {rule.severity}: {one_line(problem.message)}",
        *([f"       {', '.join(evidence)}{f' and {more} more' if more else ''}"] if evidence else []),
        f"       -> {one_line(problem.remedy)}",
    ]


def _render_contract(found: Assessment) -> list[str]:
    releases = read_ledger().releases
    built = as_closed_span(found.built_with, releases) if found.built_with else "different releases"
    works = f"{DISTRIBUTION}{found.range}" if found.range.floor else "no release that is known"
    return [f"built against {built}; works with {works}"]


def _count_things(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _report_as_json(report: Report) -> dict[str, Any]:
    found = report.assessment
    return {
        "path": str(report.path),
        "status": "passed over" if report.passed_over else "audited",
        "reason": report.passed_over or None,
        "findings": findings_as_json(report),
        "built_with": sorted(found.built_with, key=Version) if found else [],
        "runtimes": {release: verdict.status for release, verdict in found.verdicts.items()} if found else {},
        "requires": str(found.range) if found and found.range.floor else None,
        "declares": found.declared if found else None,
    }
