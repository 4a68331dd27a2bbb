"""An assessment in words, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.version import Version

from .releases.spans import as_closed_span, as_span
from .verdicts import OK
from .verify import WORKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .assess import Assessment
    from .releases.ledger import Ledger
    from .verdicts import Reason, Status
    from .verify import Observed

__all__ = ["as_json", "as_text", "observed_as_json", "observed_as_text"]


def as_text(name: str, found: Assessment, ledger: Ledger) -> str:
    """Return what a person wants to know, a line each."""
    lines = [name]
    if not found.needs:
        lines.append("  holds no library")
    for needs in found.needs:
        built_with, judged_as = (as_closed_span(one, ledger.releases) for one in (needs.built_with, needs.judged_as))
        source = "by its own record" if needs.recorded in needs.built_with else "estimated from its code"
        like = "" if built_with == judged_as else f"; not known here, so judged as {judged_as}, which its code is like"
        lines.append(f"  {needs.name}: built against {built_with}, {source}{like}")
    if found.range.floor is None:
        lines.append("  works with no release that is known")
    else:
        lines.append(f"  works with {found.range}")
    if found.declared is not None:
        lines.append(f"  requires {found.declared or 'any release'}")
    for releases, status, reasons in _group_by_verdict(found, ledger):
        lines.append(f"  {status:4} on {as_span(releases, ledger.releases)}")
        lines += [f"         {reason.text}" for reason in reasons]
    return "\n".join([*lines, ""])


def as_json(path: str, found: Assessment, ledger: Ledger) -> dict[str, Any]:
    """Return the same as data."""
    in_order = ledger.releases.index
    return {
        "path": path,
        "libraries": [
            {
                "name": needs.name,
                "recorded": needs.recorded,
                "built_with": sorted(needs.built_with, key=Version),
            }
            for needs in found.needs
        ],
        "built_with": sorted(found.built_with, key=Version),
        "runtimes": {release: verdict.status for release, verdict in found.verdicts.items()},
        "reasons": [
            {
                "releases": sorted(releases, key=in_order),
                "severity": reason.severity,
                "rule": reason.rule,
                "message": reason.text,
                "evidence": reason.evidence,
            }
            for reason, releases in _group_by_reason(found).items()
        ],
        "requires": str(found.range) if found.range.floor else None,
        "declares": found.declared,
        "too_wide": found.too_wide(ledger),
    }


def observed_as_text(observed: list[Observed], found: Assessment) -> str:
    """Return a table of what was tried, derived beside observed."""
    if not observed:
        return ""
    rows = [
        ("release", "derived", "observed", ""),
        *((one.release, found.verdict(one.release).status, one.result, _explain_result(one)) for one in observed),
    ]
    return "".join(
        f"  {release:14} {derived:8} {seen:14} {said}".rstrip() + "\n" for release, derived, seen, said in rows
    )


def observed_as_json(observed: list[Observed]) -> dict[str, Any]:
    """Return the same as data, to be added to :func:`as_json`."""
    return {"observed": {one.release: {"result": one.result, "said": one.said} for one in observed}} if observed else {}


def _explain_result(one: Observed) -> str:
    return "" if one.result == WORKS else one.said[:200]


def _group_by_reason(found: Assessment) -> dict[Reason, set[str]]:
    releases: dict[Reason, set[str]] = {}
    for release, verdict in found.verdicts.items():
        for reason in verdict.reasons:
            releases.setdefault(reason, set()).add(release)
    return releases


def _group_by_verdict(found: Assessment, ledger: Ledger) -> Iterator[tuple[set[str], Status, tuple[Reason, ...]]]:
    """Yield the releases that have the same verdict, in the order of the first of them; those that work aside."""
    groups: dict[tuple[Status, tuple[Reason, ...]], set[str]] = {}
    for release in ledger.releases:
        verdict = found.verdicts[release]
        if verdict.status != OK:
            groups.setdefault((verdict.status, verdict.reasons), set()).add(release)
    for (status, reasons), releases in groups.items():
        yield releases, status, reasons
