"""Rules on whether a wheel requires the releases of the runtime that it works with, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...contract.releases.spans import as_span
from ...contract.requirement import next_minor
from ...runtime import DISTRIBUTION
from ..findings import ERROR, WARNING, Problem, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]


@wheel_rule("R251", "the runtime is not required", ERROR)
def missing_requirement(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for wheels that use the runtime and do not require it wherever a plain install may choose them."""
    lacking = contents.wheel.environments_without_runtime()
    if not lacking:
        return
    found = subject.assessment.range
    requirement = f"{DISTRIBUTION}{found if found.floor else ''}"
    evidence = tuple(name for name, _ in subject.users())
    conditional = tuple(map(str, contents.wheel.runtime_mentions))
    if not conditional:
        yield Problem(
            f"the wheel uses the runtime and does not require {DISTRIBUTION}",
            f'write dependencies = ["{requirement}"] in [project], or let the metadata provider tvm-ffi-build add it',
            evidence=evidence,
        )
        return
    # Without bounds the markers never hold: they are for an extra, or for other systems than those of the tag.
    where = f" for {lacking[0]}" if contents.wheel.runtime_bounds() else ""
    yield Problem(
        f"a plain install of the wheel{where} does not install {DISTRIBUTION}, so its import fails",
        f'write "{requirement}" without a marker in the dependencies of [project]',
        evidence=(*conditional, *evidence),
    )


@wheel_rule("R252", "the requirement allows releases that fail", ERROR)
def failing_releases(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for releases that an installer may choose and that libraries or Python files are known to fail on."""
    found = subject.assessment
    for bounds in found.bounds:
        failing = found.too_wide(subject.ledger, bounds)
        reasons = tuple(dict.fromkeys(text for release in failing for text in found.failures(release, subject.ledger)))
        if failing and found.range.floor is None:
            missing_requirement = sorted(
                symbol for needs in found.needs for symbol in needs.symbols if symbol not in subject.ledger.symbols
            )
            yield Problem(
                f"the wheel works with no known release of {DISTRIBUTION}",
                "build it against one that has what it needs",
                evidence=(*(f"none has {symbol}" for symbol in missing_requirement[:1]), *reasons),
            )
        elif failing:
            yield Problem(
                f"the wheel requires {DISTRIBUTION}{bounds} and fails on {as_span(failing, subject.ledger.releases)}",
                f'write requires = "{found.range}" in [tool.tvm-ffi-build.runtime], '
                f'or "{DISTRIBUTION}{found.range}" in the dependencies of [project]',
                evidence=reasons,
            )


@wheel_rule("R253", "the requirement allows untested future releases", WARNING)
def missing_upper_bound(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for requirements without an upper bound: the runtime's minor versions may change its ABI."""
    unknown = next_minor(subject.ledger.releases[-1])
    for bounds in subject.assessment.bounds:
        if bounds.contains(unknown, prereleases=True):
            yield Problem(
                f"the requirement {DISTRIBUTION}{bounds} allows {unknown}, which has not been tested",
                f'write "{DISTRIBUTION}{",".join(filter(None, (str(bounds), f"<{unknown}")))}" in the dependencies of '
                "[project], or let the metadata provider tvm-ffi-build add it",
                evidence=(f"{DISTRIBUTION}{bounds}",),
            )


@wheel_rule("R254", "the release it was built against is not allowed", WARNING)
def excluded_build_release(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for requirements that leave out every release that the libraries can have been built against."""
    built_with = subject.assessment.built_with
    for bounds in subject.assessment.bounds:
        if built_with and not any(bounds.contains(release, prereleases=True) for release in built_with):
            span = as_span(built_with, subject.ledger.releases)
            yield Problem(
                f"the wheel was built against {DISTRIBUTION} {span} and requires {DISTRIBUTION}{bounds}",
                "ask for the same releases in [build-system] requires and [project] dependencies",
                evidence=(f"built against {span}", f"requires {bounds}"),
            )


RULES = (missing_requirement, failing_releases, missing_upper_bound, excluded_build_release)
