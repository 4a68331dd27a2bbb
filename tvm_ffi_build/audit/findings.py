"""What rules are, and what they find: data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..wheels.libraries import WheelLibraries
    from .audit_settings import Settings
    from .audit_wheels import Report
    from .subject import Subject

__all__ = [
    "ERROR",
    "WARNING",
    "Finding",
    "Problem",
    "Rule",
    "Severity",
    "first_rule",
    "library_rule",
    "pair_rule",
    "select_findings",
    "wheel_rule",
]

# Mangled names of templates have a hundred or two.
_LONG_WORD = re.compile(r"(\S{240})\S{60,}")
# What does not work, or not everywhere where the wheel says it does; and what works, but should not be like this.
Severity = Literal["error", "warning"]
ERROR: Final = "error"
WARNING: Final = "warning"


class Problem(NamedTuple):
    """Something that a rule has found.

    Attributes:
        message: What is the matter, in a sentence without a full stop.
        remedy: What to do about it.
        file: Which file of the wheel, or the library; empty if it is about the wheel.
        evidence: What it rests on: symbols, paths, tags.

    """

    message: str
    remedy: str
    file: str = ""
    evidence: tuple[str, ...] = ()

    def with_short_words(self) -> Problem:
        """Return the same with names that fit into a line: a stranger's symbol may have 60,000 letters."""
        message, remedy = (_LONG_WORD.sub(r"\1...", text) for text in (self.message, self.remedy))
        return self._replace(message=message, remedy=remedy)


def _find_nothing(*_: object) -> Iterator[Problem]:
    return iter(())


class Rule(NamedTuple):
    """A rule. Each of its functions yields what is wrong.

    Attributes:
        id: A letter and a digit for the family, two digits for the rule.
        title: What is wrong where it finds something, in a few words.
        severity: :data:`ERROR` or :data:`WARNING`.
        check: Looks at an extension.
        check_first: Looks at any wheel or library. If it finds something, no other rule looks at it.
        check_pair: Looks at two files that were audited, the earlier one first. It is wrong about the later one.

    """

    id: str
    title: str
    severity: Severity
    check: Callable[[Subject], Iterator[Problem]] = _find_nothing
    check_first: Callable[[Subject], Iterator[Problem]] = _find_nothing
    check_pair: Callable[[Report, Report], Iterator[Problem]] = _find_nothing


class Finding(NamedTuple):
    """A problem, and the rule that found it."""

    rule: Rule
    problem: Problem


def select_findings(rule: Rule, problems: Iterable[Problem], settings: Settings) -> Iterator[Finding]:
    """Yield what a rule has found, except in files where the settings ignore it."""
    for problem in problems:
        if not settings.ignores(rule.id, problem.file):
            yield Finding(rule, problem.with_short_words())


def first_rule(id_: str, title: str, severity: Severity) -> Callable[[Callable[[Subject], Iterator[Problem]]], Rule]:
    """Make a rule of a function that finds out which wheels other rules cannot look at."""
    return lambda check: Rule(id_, title, severity, check_first=check)


def pair_rule(
    id_: str, title: str, severity: Severity
) -> Callable[[Callable[[Report, Report], Iterator[Problem]]], Rule]:
    """Make a rule of a function that looks at two files that were audited."""
    return lambda check: Rule(id_, title, severity, check_pair=check)


def library_rule(id_: str, title: str, severity: Severity) -> Callable[[Callable[[Subject], Iterator[Problem]]], Rule]:
    """Make a rule of a function that looks at libraries, in a wheel or bare."""
    return lambda check: Rule(id_, title, severity, check)


def wheel_rule(
    id_: str,
    title: str,
    severity: Severity,
    *,
    check_first: Callable[[Subject], Iterator[Problem]] = _find_nothing,
) -> Callable[[Callable[[Subject, WheelLibraries], Iterator[Problem]]], Rule]:
    """Make a rule of a function that looks at a wheel; bare libraries it passes over."""

    def make(check: Callable[[Subject, WheelLibraries], Iterator[Problem]]) -> Rule:
        def check_wheel(subject: Subject) -> Iterator[Problem]:
            if subject.contents is not None:
                yield from check(subject, subject.contents)

        return Rule(id_, title, severity, check_wheel, check_first)

    return make
