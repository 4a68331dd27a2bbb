"""Reports as SARIF 2.1.0 (OASIS), which services for code scanning read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import __version__
from ...terminal.output import one_line
from ...terminal.streams import json_text
from ..rule_pages import read_rule_page
from ..rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..audit_wheels import Report
    from ..findings import Finding, Rule
    from ..rule_pages import RulePage
    from .data import Failure

__all__ = ["as_sarif"]

_VERSION = "2.1.0"
_RULES = list(RULES)


def as_sarif(reports: Sequence[Report], failures: Sequence[Failure]) -> str:
    """Return the findings, and what could not be audited, as one run."""
    run = {
        "tool": {"driver": {"name": "tvm-ffi-build", "version": __version__, "rules": _describe_rules()}},
        "invocations": [
            {
                "executionSuccessful": not failures,
                "toolExecutionNotifications": [_describe_failure(failure) for failure in failures],
            }
        ],
        "results": [_describe_result(report.path, finding) for report in reports for finding in report.findings],
        "columnKind": "unicodeCodePoints",
    }
    return json_text({"version": _VERSION, "runs": [run]})


def _describe_failure(failure: Failure) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": one_line(str(failure.error))},
        "locations": [_describe_location(failure.path)],
    }


def _describe_rules() -> list[dict[str, Any]]:
    return [_describe_rule(rule, read_rule_page(rule)) for rule in RULES.values()]


def _describe_rule(rule: Rule, page: RulePage) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": page.summary},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": rule.severity},
    }
    # The standard asks for an absolute address (3.49.12).
    return {**described, "helpUri": page.address} if page.address else described


def _describe_result(path: Path, finding: Finding) -> dict[str, Any]:
    rule, problem = finding
    return {
        "ruleId": rule.id,
        "ruleIndex": _RULES.index(rule.id),
        "level": rule.severity,
        "message": {"text": one_line(f"{problem.message}; {problem.remedy}")},
        "locations": [_describe_location(path, problem.file)],
        # The same finding in the next wheel is the same, whatever the version in its name (SARIF 2.1.0, 3.27.17).
        "partialFingerprints": {"tvmFfiBuild/v1": f"{rule.id}:{one_line(problem.file)}"},
        "properties": {"evidence": list(map(one_line, problem.evidence))},
    }


def _describe_location(path: Path, file: str = "") -> dict[str, Any]:
    """Return where: an archive has no lines, and a viewer can open nothing that is in one."""
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _encode_uri(path)}}}
    if file:
        place["logicalLocations"] = [{"fullyQualifiedName": one_line(file), "kind": "resource"}]
    return place


def _encode_uri(path: Path) -> str:
    from urllib.parse import quote  # noqa: PLC0415  (of one format alone)

    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
