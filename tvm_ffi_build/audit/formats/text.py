"""Findings for people: a block for each rule of a wheel, the errors last, and totals."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...contract import read_ledger
from ...contract.releases.spans import as_closed_span
from ...runtime import DISTRIBUTION
from ...terminal.demangle import demangle
from ...terminal.output import HINT, one_line
from ...terminal.screen import BOLD, DIM, PLAIN, STYLES
from ..findings import ERROR, WARNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...contract.assess import Assessment
    from ...terminal.screen import Screen
    from ..audit_wheels import Report
    from ..findings import Problem, Rule

__all__ = ["as_statistics", "as_text"]

# Of long lists the first few say enough; "-v" and JSON have all.
_MOST_PLACES = 5
_MOST_EVIDENCE = 3
# Below the message, which stands behind the rule's id.
_INDENT = 7


def as_text(reports: Sequence[Report], screen: Screen = PLAIN, *, verbose: bool = False, failed: int = 0) -> str:
    """Return what was found.

    Args:
        reports: Of wheels and libraries. Those with errors come last, where a terminal shows them.
        screen: What the text is shown on.
        verbose: Whether to list every place that a rule was broken in.
        failed: How many more could not be audited, for the totals.

    """
    audited = sorted((report for report in reports if not report.skipped), key=_severity)
    parts = [_render_report(report, screen, verbose=verbose) for report in audited]
    if len(audited) + failed > 1 or any(report.findings for report in audited):
        parts.append(screen.paint(_render_totals(audited, failed), BOLD) + "\n")
    return "".join(parts)


def as_statistics(reports: Sequence[Report], screen: Screen = PLAIN) -> str:
    """Return how often each rule was broken, the rule that was broken most first."""
    counts = Counter(finding.rule for report in reports for finding in report.findings)
    width = max((len(f"{count:,}") for count in counts.values()), default=0)
    return "".join(
        f"{count:{width},}  {rule.id}  {screen.paint(rule.severity, STYLES[rule.severity])}: {rule.title}\n"
        for rule, count in counts.most_common()
    )


def _severity(report: Report) -> int:
    severities = {finding.rule.severity for finding in report.findings}
    return 2 if ERROR in severities else int(bool(severities))


def _render_report(report: Report, screen: Screen, *, verbose: bool) -> str:
    name = one_line(report.path.name)
    contract = _render_contract(report.assessment) if report.assessment is not None else ""
    if not report.findings:
        text = f"{name}: clean{f' ({contract})' if contract else ''}"
        return "".join(screen.paint(line, DIM) + "\n" for line in screen.wrap(text).splitlines())
    # By severity and then in the order of the rules, as "sorted" keeps it.
    findings = sorted(report.findings, key=lambda finding: finding.rule.severity == ERROR)
    by_rule: dict[Rule, list[Problem]] = {}
    for rule, problem in findings:
        by_rule.setdefault(rule, []).append(problem)
    blocks = [_render_rule(rule, problems, screen, verbose=verbose) for rule, problems in by_rule.items()]
    return "".join([screen.paint(name, BOLD), "\n", *blocks, screen.wrap(contract, indent=2) if contract else ""])


def _render_rule(rule: Rule, problems: Sequence[Problem], screen: Screen, *, verbose: bool) -> str:
    label, style = f"{rule.id} {rule.severity}: ", STYLES[rule.severity]
    shown = list(problems if verbose else problems[:_MOST_PLACES])
    remedies = list(dict.fromkeys(problem.remedy for problem in shown))
    texts = iter(demangle([text for one in shown for text in (one.message, _list_evidence(one))] + remedies))
    places = [(one_line(next(texts)), one_line(next(texts))) for _ in shown]
    hint = dict(zip(remedies, map(one_line, texts)))
    if len(problems) == 1:
        message, evidence = places[0]
        lines = [screen.wrap(message, label=label, style=style, indent=2, hang=_INDENT - 2)]
        lines += [screen.wrap(evidence, indent=_INDENT, hang=0)] if evidence else []
        return "".join([*lines, _render_hint(hint[problems[0].remedy], screen)])
    lines = [screen.wrap(f"{rule.title} ({len(problems):,} times)", label=label, style=style, indent=2, hang=5)]
    for problem, (message, _) in zip(shown, places):
        lines.append(screen.wrap(message, indent=_INDENT))
        if len(remedies) > 1:
            lines.append(_render_hint(hint[problem.remedy], screen, indent=_INDENT + 2))
    more = len(problems) - len(shown)
    lines += [screen.wrap(f"and {more:,} more (-v shows all)", indent=_INDENT)] if more else []
    return "".join([*lines, *([_render_hint(hint[remedies[0]], screen)] if len(remedies) == 1 else [])])


def _list_evidence(problem: Problem) -> str:
    evidence = problem.evidence[:_MOST_EVIDENCE]
    more = len(problem.evidence) - len(evidence)
    return f"{', '.join(evidence)}{f' and {more:,} more' if more else ''}"


def _render_hint(remedy: str, screen: Screen, *, indent: int = _INDENT) -> str:
    return screen.wrap(remedy, label=HINT, style=STYLES["hint"], indent=indent, hang=len(HINT)) if remedy else ""


def _render_contract(found: Assessment) -> str:
    releases = read_ledger().releases
    built = as_closed_span(found.built_with, releases) if found.built_with else "different releases"
    works = f"{DISTRIBUTION}{found.range}" if found.range.floor else "no known release"
    return f"built against {built}, works with {works}"


def _render_totals(reports: Sequence[Report], failed: int) -> str:
    """Return the totals.

    Where every file is a wheel it reads "2 wheels: 1 error, 10 warnings".
    """
    kind = "wheel" if all(report.path.suffix == ".whl" for report in reports) else "file"
    counts = Counter(finding.rule.severity for report in reports for finding in report.findings)
    words = [_count_things(counts[severity], severity) for severity in (ERROR, WARNING)] if counts else ["clean"]
    words += [f"{failed} not audited"] if failed else []
    return f"{_count_things(len(reports) + failed, kind)}: {', '.join(words)}"


def _count_things(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
