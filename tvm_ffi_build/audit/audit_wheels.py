"""Audits one wheel or bare library."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import ContradictionError, RecordError
from ..host.unfinished import OTHER_TEMPORARY, temporary_folder, write_errors
from ..platforms.systems import FORMATS
from ..wheels import open_wheel
from ..wheels.libraries import THE_RUNTIME, read_bare_library, read_libraries
from .audit_settings import Settings, read_settings
from .findings import ERROR, Finding, Problem
from .private_libraries import find_private_libraries
from .rules import RULES
from .rules.package_import import NO_LIBRARY, find_lack_of_library
from .rules.runtime_library import untrue_record
from .rules.wheel_files import CONTRADICTION
from .subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..contract.assess import Assessment
    from ..errors import TvmFfiBuildError
    from .findings import Rule
    from .private_libraries import PrivateLibrary

__all__ = ["Report", "audit", "audit_subject", "audit_wheel", "project_settings"]


class Report(NamedTuple):
    """What an audit has found.

    Attributes:
        path: What was audited.
        findings: What is wrong, rule by rule.
        passed_over: Why it was not audited; empty if it was.
        assessment: What it needs of the runtime; None if it was passed over or contradicts itself.
        private_libraries: The libraries of the wheel that others of it need.
        not_imported: Why its packages were not imported although that was asked for.

    """

    path: Path
    findings: tuple[Finding, ...] = ()
    passed_over: str = ""
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
                return Report(path, passed_over=THE_RUNTIME)
            return audit_subject(Subject.of(read_libraries(opened, folder), settings))
    except ContradictionError as error:
        return _only(CONTRADICTION, path, error, settings)


def audit_subject(subject: Subject) -> Report:
    """Audit a wheel that has been read.

    Raises:
        TvmFfiBuildError: As :func:`audit`.

    """
    reason = subject.contents.reason_to_skip() if subject.contents is not None else ""
    if reason and subject.contents is not None and subject.settings.asks_for(NO_LIBRARY.id):
        found = tuple(Finding(NO_LIBRARY, problem) for problem in find_lack_of_library(subject.contents))
        if found:
            return Report(subject.path, found)
    return Report(subject.path, passed_over=reason) if reason else _report(subject)


def _audit_library(path: Path, settings: Settings) -> Report:
    binary, reason = read_bare_library(path)
    if binary is None:
        return Report(path, passed_over=reason)
    return _report(Subject(path, FORMATS[binary.format], {path.name: path}, {path.name: binary}, settings=settings))


def _report(subject: Subject) -> Report:
    try:
        return Report(
            subject.path,
            tuple(_findings(subject)),
            assessment=subject.assessment,
            private_libraries=tuple(find_private_libraries(subject)),
            not_imported=subject.imported.unchecked,
        )
    except RecordError as error:
        return _only(untrue_record, subject.path, error, subject.settings)


def _only(rule: Rule, path: Path, error: TvmFfiBuildError, settings: Settings) -> Report:
    """Return the report on what is so wrong that nothing else can be asked; or raise that, if it is not asked for."""
    if not settings.asks_for(rule.id):
        raise error
    return Report(path, (Finding(rule, Problem(error.what, error.remedy)),))


def _findings(subject: Subject) -> Iterator[Finding]:
    settings = subject.settings
    for rule in RULES.values():
        if settings.asks_for(rule.id):
            # The halves of a universal library have many problems in common.
            for problem in dict.fromkeys(rule.check(subject)):
                if not settings.ignores(rule.id, problem.file):
                    yield Finding(rule, problem.with_short_words())
