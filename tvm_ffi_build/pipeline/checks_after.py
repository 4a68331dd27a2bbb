"""What came of a build: whether the wheel is what its tag and its requirement say, by the rules of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..audit.findings import select_findings
from ..audit.rules import RULES
from ..errors import AgnosticError, BuildError
from ..host.unfinished import OTHER_TEMPORARY, write_errors
from ..platforms.systems import LINUX
from ..wheels import open_wheel
from ..wheels.import_packages import import_wheel
from ..wheels.libraries import platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..audit import Subject
    from ..audit.findings import Finding
    from ..cross.targets import Target
    from ..pyproject.build_system import Project
    from ..terminal.output import Output

__all__ = ["check_built", "check_import"]

# The rules that every wheel is held to before anybody else gets it, repaired and audited or not, and the errors that
# answer them. Of the libraries' platform only a wheel that keeps its tags is asked: a repair works them out anew.
_TAGS = "P304"
_RULES: dict[str, type[AgnosticError | BuildError]] = {
    "P305": BuildError,
    "A101": AgnosticError,
    _TAGS: BuildError,
    "R252": BuildError,
}
_MOST_EVIDENCE = 3

# What other build backends build a library with, by a part of their names.
_CMAKE_SUPPORT = {
    "hatchling": 'hatchling runs CMake with "scikit-build-core[hatchling]" in build-system.requires and a table '
    "[tool.hatch.build.targets.wheel.hooks.scikit-build]",
    "setuptools": 'setuptools runs CMake with "scikit-build-core[wheel-free-setuptools]" in build-system.requires and '
    'setup(cmake_source_dir=".")',
    "mesonpy": "write shared_library(..., install: true) in meson.build",
}

_INSTALL = "put one in with install(TARGETS ...), whose DESTINATION is relative and in a package"


def check_built(
    subject: Subject,
    project: Project,
    target: Target | None = None,
    *,
    repaired: bool = True,
    may_lack_library: bool = False,
) -> None:
    """Check what a build has made, before anybody else gets it.

    Args:
        subject: The wheel.
        project: What it was built from.
        target: The platform that it was to be built for, or None for this machine.
        repaired: Whether it is going to be repaired.
        may_lack_library: Whether a wheel without a library is what was wanted.

    Raises:
        BuildError: It holds no library, is for another platform, claims all, or admits a runtime that it fails on.
        AgnosticError: It is tagged for any Python 3, and a library in it calls into CPython.

    """
    if target is not None:
        _check_target(subject, target, project, repaired=repaired)
    for finding in _findings(subject, keeps_tags=not repaired or bool(subject.reason_to_skip)):
        raise _RULES[finding.rule.id](_as_error(subject, finding))
    if project.uses_this_plugin and not subject.binaries and not may_lack_library:
        raise _lack_of_library(project, subject)


def check_import(wheel: Path, folder: Path, output: Output) -> None:
    """Import the packages of a wheel, if this machine can.

    Args:
        wheel: The wheel, as its users get it.
        folder: Where to make a scratch directory.
        output: Where the reason goes if it cannot be imported here.

    Raises:
        BuildError: A package cannot be imported.

    """
    with open_wheel(wheel) as opened, write_errors(folder, OTHER_TEMPORARY):
        found = import_wheel(opened, folder / "import")
    if found.unchecked:
        output.note("import not checked", found.unchecked)
    if found.error:
        raise BuildError(
            f"{wheel.name}: import {found.package} fails: {found.error}",
            f"{found.remedy}, or skip this check with --no-import-check",
        )


def _findings(subject: Subject, *, keeps_tags: bool) -> Iterator[Finding]:
    if not subject.binaries and platform_of(subject.libraries.wheel) is None:
        return
    for id_ in _RULES:
        if (subject.binaries or id_ == "R252") and (keeps_tags or id_ != _TAGS):
            yield from select_findings(RULES[id_], RULES[id_].check(subject), subject.settings)


def _as_error(subject: Subject, finding: Finding) -> str:
    problem = finding.problem
    evidence = [one for one in problem.evidence if one not in problem.message]
    more = f" and {len(evidence) - _MOST_EVIDENCE} more" if len(evidence) > _MOST_EVIDENCE else ""
    # Some messages name it themselves.
    shown = f" ({', '.join(evidence[:_MOST_EVIDENCE])}{more})" if evidence and "(" not in problem.message else ""
    return f"{subject.path.name}: {problem.message}{shown}; {problem.remedy}"


def _lack_of_library(project: Project, subject: Subject) -> BuildError:
    """Return the error for a wheel without a library, with what puts one in for the build backend."""
    # scikit-build-core runs CMake by itself; the others have to be told to build anything.
    remedy = next((how for backend, how in _CMAKE_SUPPORT.items() if backend in (project.backend or "")), _INSTALL)
    return BuildError(f"{subject.path.name} holds no library", f"{remedy}; or allow that with --allow-no-library")


def _check_target(subject: Subject, target: Target, project: Project, *, repaired: bool) -> None:
    """Check that a wheel is for the platform that was asked for, since not every build backend can be told of it.

    The libraries decide: a tag is this machine's with some backends that compile for the other, and the other's where
    _PYTHON_HOST_PLATFORM is set, with some that do not.
    """
    held = {image.architecture for binary in subject.binaries.values() for image in binary.images}
    if held and target.architecture not in held:
        raise BuildError(
            f"{subject.path.name} holds libraries for {', '.join(sorted(held))} and not for {target.tag}: "
            f"{project.backend} builds only for this machine",
            "build it on that platform, or without --platform",
        )
    # The repair finds the right tag among those of a system.
    tagged = set(subject.libraries.wheel.platforms) <= {target.built_tag, target.tag}
    if not tagged and not (repaired and target.system == LINUX):
        remedy = ", or without --no-repair" if target.system == LINUX else ""
        raise BuildError(
            f"{subject.path.name} is for {target.tag}, and {project.backend} has tagged it for another platform",
            f"build it on that platform{remedy}",
        )
