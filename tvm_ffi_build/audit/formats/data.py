"""Reports as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.version import Version

from ...terminal.streams import json_text
from ..audit_wheels import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...errors import TvmFfiBuildError


__all__ = ["Failure", "as_json", "findings_as_json"]


class Failure(NamedTuple):
    """What could not be audited, and why."""

    path: Path
    error: TvmFfiBuildError


def as_json(reports: Sequence[Report], failures: Sequence[Failure]) -> str:
    """Return everything as data; the schema is in ``docs/reference/audit.md``."""
    artifacts = [_report_as_json(report) for report in reports]
    artifacts += [
        _report_as_json(Report(one.path)) | {"status": "failed", "reason": str(one.error)} for one in failures
    ]
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


def _report_as_json(report: Report) -> dict[str, Any]:
    found = report.assessment
    return {
        "path": str(report.path),
        "status": "skipped" if report.skipped else "audited",
        "reason": report.skipped or None,
        "findings": findings_as_json(report),
        "built_with": sorted(found.built_with, key=Version) if found else [],
        "runtimes": {release: verdict.status for release, verdict in found.verdicts.items()} if found else {},
        "requires": str(found.range) if found and found.range.floor else None,
        "declares": found.declared if found else None,
    }
