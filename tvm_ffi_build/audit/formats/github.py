"""Findings as annotations of GitHub Actions: commands in the log ("Workflow commands for GitHub Actions")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal.output import one_line
from ..findings import ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..audit_wheels import Report
    from ..findings import Severity
    from .text_and_json import Failure

__all__ = ["as_github"]


def as_github(reports: Sequence[Report], failures: Sequence[Failure]) -> str:
    """Return a command for each finding, and for each wheel that could not be audited."""
    lines = [
        _render_command(
            rule.severity, str(report.path), f"{rule.id} {rule.title}", f"{problem.message}; {problem.remedy}"
        )
        for report in reports
        for rule, problem in report.findings
    ]
    lines += [_render_command(ERROR, str(path), "could not be audited", message) for path, message in failures]
    return "".join(f"{line}\n" for line in lines)


def _render_command(severity: Severity, file: str, title: str, message: str) -> str:
    return f"::{severity} file={_escape_property(file)},title={_escape_property(title)}::{_escape_message(message)}"


def _escape_message(text: str) -> str:
    return one_line(text.replace("%", "%25"))


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")
