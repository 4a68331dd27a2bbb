"""From verdicts to a requirement: a floor, holes, and a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.version import Version

from ..errors import ProjectError, UnsupportedRuntimeError
from ..runtime import DISTRIBUTION, UNKNOWN_VERSION
from .verdicts import BAD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from .releases.ledger import Ledger
    from .verdicts import Verdict

__all__ = ["Range", "derive_range", "next_minor", "runtime_requirement"]


class Range(NamedTuple):
    """The releases of the runtime that something works with.

    Attributes:
        floor: The oldest release; None if there is none that works.
        holes: Releases above the floor that do not work.
        cap: The first version that is left out: one that fails, or the first of a series that nobody knows.

    """

    floor: str | None
    holes: tuple[str, ...]
    cap: str

    def __str__(self) -> str:
        """Return it as a requirement has it, ``>=0.1.9,!=0.1.13,<0.2``."""
        return ",".join([f">={self.floor}", *(f"!={hole}" for hole in self.holes), f"<{self.cap}"])


def next_minor(release: str) -> str:
    """Return the version that begins the next minor series, up to which a range goes by default.

    A policy: the runtime has broken its ABI within a minor series as well, which the ledger then knows; what a next
    one brings nobody knows.

    >>> next_minor("0.1.15.post2")
    '0.2'
    """
    version = Version(release)
    return f"{version.major}.{version.minor + 1}"


def derive_range(verdicts: Mapping[str, Verdict], built_with: AbstractSet[str], ledger: Ledger) -> Range:
    """Return the releases that are not known to fail, without a gap that anybody would meet.

    Withdrawn releases that fail are holes; at others that fail a range begins or ends. Where that leaves several
    ranges, the one that has what the libraries were built against counts, and of several such the newest.

    Args:
        verdicts: On each release of the ledger.
        built_with: The releases that the libraries can have been built against.
        ledger: What is known of the releases.

    """
    ranges = []
    run: list[str] = []
    for release in (*ledger.releases, None):
        failing = release is None or verdicts[release].status == BAD
        if release is not None and (not failing or release in ledger.yanked):
            run.append(release)
            continue
        working = [one for one in run if verdicts[one].status != BAD]
        if any(one not in ledger.yanked for one in working):
            floor = next(one for one in working if one not in ledger.yanked)
            cap = release or next_minor(working[-1])
            above = [one for one in run[run.index(floor) :] if Version(one) < Version(cap)]
            holes = tuple(one for one in above if verdicts[one].status == BAD)
            ranges.append((not built_with.isdisjoint(working), Range(floor, holes, cap)))
        run = []
    if not ranges:
        return Range(None, (), next_minor(ledger.releases[-1]))
    return next((found for has_built, found in reversed(ranges) if has_built), ranges[-1][1])


def runtime_requirement(version: str, bounds: str = "") -> str:
    """Return the requirement of a wheel that was built against a version of the runtime.

    The floor is that version: what it works with below is for its author to try, by building against it. The cap is
    the next minor version, since the C++ layouts have changed with minor versions and may do so again.

    >>> runtime_requirement("0.1.15.post2")
    'apache-tvm-ffi>=0.1.15.post2,<0.2'
    >>> runtime_requirement("0.1.15.post2", "!=0.1.17, <0.1.20")
    'apache-tvm-ffi!=0.1.17,<0.1.20,<0.2,>=0.1.15.post2'

    Args:
        version: Of the runtime.
        bounds: What the project asks for beside that: version specifiers (PEP 440).

    Raises:
        ProjectError: The bounds are no specifiers, or leave out the version itself.
        UnsupportedRuntimeError: The version is unknown.

    """
    if version == UNKNOWN_VERSION:
        raise UnsupportedRuntimeError(
            f"the version of this {DISTRIBUTION} checkout is unknown, so no requirement can name it",
            command="python -m pip install -e CHECKOUT",
        )

    requirement = f">={Version(version).public},<{next_minor(version)}"
    if not bounds:
        return f"{DISTRIBUTION}{requirement}"
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415  (few projects have bounds)

    try:
        asked = SpecifierSet(bounds)
    except InvalidSpecifier:
        raise ProjectError(
            f"tool.tvm-ffi-build.runtime.requires is {bounds!r}", "write version specifiers such as '>=0.1.9,!=0.1.13'"
        ) from None
    if not asked.contains(version, prereleases=True):
        raise ProjectError(
            f"tool.tvm-ffi-build.runtime.requires is {bounds!r}, which leaves out {version}, the runtime that is built "
            "against",
            f"pin another in build-system.requires, such as '{DISTRIBUTION}{asked}'",
        )
    return f"{DISTRIBUTION}{SpecifierSet(requirement) & asked}"
