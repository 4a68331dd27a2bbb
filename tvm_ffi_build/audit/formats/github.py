"""Findings as annotations of GitHub Actions: commands in the log ("Workflow commands for GitHub Actions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal.output import one_line
from ..findings import ERROR
from ..rule_pages import read_rule_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..audit_wheels import Report
    from ..findings import Finding, Rule, Severity
    from .data import Failure

__all__ = ["as_github"]


def as_github(reports: Sequence[Report], failures: Sequence[Failure]) -> str:
    """Return a command for each finding, and for each wheel that could not be audited."""
    lines = [
        _render_command(finding.rule.severity, str(report.path), _describe(finding.rule), _explain(finding))
        for report in reports
        for finding in report.findings
    ]
    lines += [_render_command(ERROR, str(path), "could not be audited", str(error)) for path, error in failures]
    return "".join(f"{line}\n" for line in lines)


def _describe(rule: Rule) -> str:
    return f"{rule.id} {rule.title}"


def _explain(finding: Finding) -> str:
    rule, problem = finding
    address = read_rule_page(rule).address
    return f"{problem.message}; {problem.remedy}{f' ({address})' if address else ''}"


def _render_command(severity: Severity, file: str, title: str, message: str) -> str:
    return f"::{severity} file={_escape_property(file)},title={_escape_property(title)}::{_escape_message(message)}"


def _escape_message(text: str) -> str:
    return one_line(text.replace("%", "%25"))


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")
