"""The contract of a wheel, or of a bare library: what it was built with, works with and declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .evidence.needs import read_needs
from .evidence.python_files import read_python_files
from .requirement import derive_range
from .verdicts import BAD, SYMBOL, UNKNOWN, Verdict, derive_verdicts, find_python_reasons, merge_verdicts, verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from ..binaries import Binary
    from ..wheels.libraries import WheelLibraries
    from .evidence.needs import Needs
    from .releases.ledger import Ledger
    from .requirement import Range

__all__ = ["Assessment", "assess", "assess_wheel", "common_releases"]


class Assessment(NamedTuple):
    """What is known.

    Attributes:
        needs: Of each library.
        built_with: The releases that all libraries can have been built against; empty if they contradict each other.
        verdicts: On each release of the ledger.
        range: The releases that work, as a requirement; None where there is no library to ask.
        bounds: The releases of the runtime that the wheel requires: one set, or several where markers (PEP 508) choose
            among them; empty if it does not require the runtime, or this is not a wheel.

    """

    needs: tuple[Needs, ...]
    built_with: frozenset[str]
    verdicts: Mapping[str, Verdict]
    range: Range
    bounds: tuple[SpecifierSet, ...] = ()

    @property
    def declared(self) -> str | None:
        """What the wheel requires of the runtime, as text; None if nothing."""
        if len(self.bounds) < 2:
            return str(self.bounds[0]) if self.bounds else None
        return " or ".join(str(bounds) or ">=0" for bounds in self.bounds)

    def verdict(self, release: str) -> Verdict:
        """Return the verdict on a release, which may be newer than the ledger."""
        return self.verdicts.get(release, Verdict(UNKNOWN))

    def too_wide(self, ledger: Ledger, within: SpecifierSet | None = None) -> list[str]:
        """Return the releases that the wheel admits and that are known to fail; not those that were yanked.

        No installer chooses a yanked release for a range.

        Args:
            ledger: What is known of the runtime's releases.
            within: Look at one of :attr:`bounds` only.

        """
        found = self.bounds if within is None else (within,)
        admitted = {release for bounds in found for release in bounds.filter(ledger.releases, prereleases=True)}
        admitted -= ledger.yanked
        return [one for one in ledger.releases if one in admitted and self.failures(one, ledger)]

    def failures(self, release: str, ledger: Ledger) -> list[str]:
        """Return why a release of the ledger fails; without what no release has, which is no matter of a range."""
        return [
            reason.text
            for reason in self.verdicts[release].reasons
            if reason.severity == BAD and (reason.rule != SYMBOL or reason.evidence in ledger.symbols)
        ]


def assess(
    libraries: Mapping[str, tuple[Path, Binary]],
    ledger: Ledger,
    *,
    python: Container[str] = "",
    beside: frozenset[str] = frozenset(),
) -> Assessment:
    """Assess bare libraries, which have each other's symbols.

    Args:
        libraries: Path and description, by the name to call each by.
        ledger: What is known of the runtime's releases.
        python: What is in the Python files that come with them: their text, or the words in it that breaks ask for.
        beside: Symbols of libraries that will be there as well.

    """
    beside = beside.union(*(binary.exported for _, binary in libraries.values()))
    needs = tuple(
        read_needs(path, binary, ledger, name=name, python=python, beside=beside)
        for name, (path, binary) in libraries.items()
    )
    return _conclude(needs, merge_verdicts((derive_verdicts(one, ledger) for one in needs), ledger), (), ledger)


def assess_wheel(contents: WheelLibraries, ledger: Ledger) -> Assessment:
    """Assess a wheel: its libraries, its Python files, and what it declares.

    Raises:
        WheelError: A Python file in it is damaged.

    """
    python = read_python_files(contents, {word for known in ledger.breaks for word in known.python})
    libraries = {name: (path, contents.binaries[name]) for name, path in contents.paths.items()}
    alone = assess(libraries, ledger, python=python.words)
    verdicts = {
        release: verdict([*alone.verdicts[release].reasons, *find_python_reasons(python, release, ledger)])
        for release in ledger.releases
    }
    return _conclude(alone.needs, verdicts, contents.wheel.runtime_bounds(), ledger)


def common_releases(needs: Collection[Needs], ledger: Ledger) -> frozenset[str]:
    """Return the releases that all libraries can have been built against; empty if they contradict each other."""
    recorded = frozenset(one.recorded for one in needs if one.recorded in one.built_with)
    if recorded <= set(ledger.releases):
        return frozenset(ledger.releases).intersection(*(one.built_with for one in needs))
    # The code of those without a record does not tell of a release that is not in the ledger.
    return recorded if len(recorded) == 1 else frozenset()


def _conclude(
    needs: tuple[Needs, ...], verdicts: Mapping[str, Verdict], bounds: tuple[SpecifierSet, ...], ledger: Ledger
) -> Assessment:
    built_with = common_releases(needs, ledger)
    return Assessment(needs, built_with, verdicts, derive_range(verdicts, built_with, ledger), bounds)
