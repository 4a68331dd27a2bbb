"""Rules on whether a wheel requires the releases of the runtime that it works with, and those alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from ...contract.releases.spans import as_span
from ...contract.requirement import next_minor
from ..findings import ERROR, WARNING, Problem, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...wheels.libraries import Contents
    from ..subject import Subject

__all__ = ["RULES"]

_RUNTIME = "apache-tvm-ffi"


@wheel_rule("R251", "the runtime is not required", ERROR)
def missing(subject: Subject, contents: Contents) -> Iterator[Problem]:
    """Look for wheels that use the runtime and do not require it, under any condition."""
    found = subject.assessment.range
    if not any(canonicalize_name(one.name) == _RUNTIME for one in contents.wheel.requirements):
        yield Problem(
            f"the wheel uses the runtime and does not require {_RUNTIME}",
            f'write dependencies = ["{_RUNTIME}{found if found.floor else ""}"] in [project], '
            "or let the metadata provider tvm-ffi-build add it",
            evidence=tuple(name for name, _ in subject.users()),
        )


@wheel_rule("R252", "releases are admitted that fail", ERROR)
def too_wide(subject: Subject, _: Contents) -> Iterator[Problem]:
    """Look for releases that an installer may choose and that libraries or Python files are known to fail on."""
    found = subject.assessment
    failing = found.too_wide(subject.ledger)
    if failing:
        yield Problem(
            f"the wheel requires {_RUNTIME}{found.declared} and fails on {as_span(failing, subject.ledger.releases)}",
            _narrower(subject),
            evidence=tuple(
                dict.fromkeys(text for release in failing for text in found.failures(release, subject.ledger))
            ),
        )


@wheel_rule("R253", "releases are admitted that nobody knows yet", WARNING)
def open_ended(subject: Subject, _: Contents) -> Iterator[Problem]:
    """Look for requirements without an upper bound: the runtime's minor versions may change its ABI."""
    found = subject.assessment
    unknown = next_minor(subject.ledger.releases[-1])
    if found.declared is not None and found.declared.contains(unknown, prereleases=True):
        yield Problem(
            f"the wheel requires {_RUNTIME}{found.declared}, which admits {unknown}, of which nothing is known",
            f'write "{_RUNTIME}{",".join(filter(None, (str(found.declared), f"<{unknown}")))}" in the dependencies of '
            "[project], or let the metadata provider tvm-ffi-build add it",
            evidence=(f"{_RUNTIME}{found.declared}",),
        )


@wheel_rule("R254", "what it was built against is not admitted", WARNING)
def built_with_another(subject: Subject, _: Contents) -> Iterator[Problem]:
    """Look for requirements that leave out every release that the libraries can have been built against."""
    found = subject.assessment
    admits = found.declared is None or any(
        found.declared.contains(release, prereleases=True) for release in found.built_with
    )
    if found.built_with and not admits:
        span = as_span(found.built_with, subject.ledger.releases)
        yield Problem(
            f"the wheel was built against {_RUNTIME} {span} and requires {_RUNTIME}{found.declared}",
            "ask for the same releases in [build-system] requires and [project] dependencies",
            evidence=(f"built against {span}", f"requires {found.declared}"),
        )


def _narrower(subject: Subject) -> str:
    found = subject.assessment.range
    if found.floor is None:
        return "build it against a release that works with itself"
    return (
        f'write requires = "{found}" in [tool.tvm-ffi-build.runtime], '
        f'or "{_RUNTIME}{found}" in the dependencies of [project]'
    )


RULES = (missing, too_wide, open_ended, built_with_another)
