"""Audits one wheel or bare library."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import ContradictionError
from ..host.unfinished import OTHER_TEMPORARY, temporary_folder, write_errors
from ..platforms.systems import FORMATS
from ..wheels import open_wheel
from ..wheels.libraries import THE_RUNTIME, read_bare_library, read_libraries
from .audit_settings import Settings, read_settings
from .findings import ERROR, select_findings
from .private_libraries import find_private_libraries
from .rules import RULES
from .subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..contract.assess import Assessment
    from .findings import Finding, Problem, Rule
    from .private_libraries import PrivateLibrary

__all__ = ["Report", "audit", "audit_subject", "audit_wheel", "project_settings"]


class Report(NamedTuple):
    """What an audit has found.

    Attributes:
        path: What was audited.
        findings: What is wrong, rule by rule.
        skipped: Why it was not audited; empty if it was.
        assessment: What it needs of the runtime; None if it was passed over or contradicts itself.
        private_libraries: The libraries of the wheel that others of it need.
        not_imported: Why its packages were not imported although that was asked for.

    """

    path: Path
    findings: tuple[Finding, ...] = ()
    skipped: str = ""
    assessment: Assessment | None = None
    private_libraries: tuple[PrivateLibrary, ...] = ()
    not_imported: str = ""

    def failing(self, *, strict: bool) -> tuple[Finding, ...]:
        """Return why the wheel should not be used: the errors, and, if that is asked for, the warnings."""
        return tuple(finding for finding in self.findings if strict or finding.rule.severity == ERROR)


def project_settings(folder: Path) -> Settings:
    """Return what the project in a folder has set for audits; nothing, if it has no ``pyproject.toml``.

    Raises:
        ProjectError: It has set what is not known.

    """
    return read_settings(folder).checked(RULES, str(folder / "pyproject.toml"))


def audit(path: Path, settings: Settings | None = None) -> Report:
    """Audit a wheel, by its name, or else a bare library.

    Raises:
        WheelError: It is no wheel, or a damaged one.
        UnreadableBinaryError: A library cannot be read.
        TvmFfiBuildError: What a rule needs is not installed.

    """
    return (audit_wheel if path.suffix == ".whl" else _audit_library)(path, settings or Settings())


def audit_wheel(path: Path, settings: Settings | None = None) -> Report:
    """Audit a wheel.

    Raises:
        TvmFfiBuildError: As :func:`audit`.

    """
    settings = settings or Settings()
    try:
        with open_wheel(path) as opened, temporary_folder() as folder, write_errors(folder.parent, OTHER_TEMPORARY):
            if opened.is_runtime:
                return Report(path, skipped=THE_RUNTIME)
            return audit_subject(Subject.of(read_libraries(opened, folder), settings))
    except ContradictionError as error:
        return audit_subject(Subject.of_contradiction(path, error, settings))


def audit_subject(subject: Subject) -> Report:
    """Audit a wheel that has been read.

    Raises:
        TvmFfiBuildError: As :func:`audit`.

    """
    reason = subject.reason_to_skip
    found = tuple(_find(subject, lambda rule: rule.check_first(subject)))
    if found:
        return Report(subject.path, found)
    if subject.contradiction is not None:
        raise subject.contradiction
    if reason:
        return Report(subject.path, skipped=reason)
    return Report(
        subject.path,
        tuple(_find(subject, lambda rule: rule.check(subject))),
        assessment=subject.assessment,
        private_libraries=tuple(find_private_libraries(subject)),
        not_imported=subject.imported.unchecked,
    )


def _audit_library(path: Path, settings: Settings) -> Report:
    binary, reason = read_bare_library(path)
    if binary is None:
        return Report(path, skipped=reason)
    return audit_subject(
        Subject(path, FORMATS[binary.format], {path.name: path}, {path.name: binary}, settings=settings)
    )


def _find(subject: Subject, check: Callable[[Rule], Iterator[Problem]]) -> Iterator[Finding]:
    """Yield what the rules find that the settings ask for, except in files where they ignore it."""
    for rule in RULES.values():
        if subject.settings.asks_for(rule.id):
            # The halves of a universal library have many problems in common.
            yield from select_findings(rule, dict.fromkeys(check(rule)), subject.settings)
