"""Inputs whose results would be one file, of which the last one written would remain."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion

from ..errors import RefusedError
from ..host.unfinished import temporary_folder
from ..platforms.tags import system_of
from ..wheels import name_with_platforms, tag_of
from .plan import PLANNED
from .repair_wheels import repair

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .plan import Request

__all__ = ["refuse_shared_results"]


class _Planned(NamedTuple):
    source: Path
    platforms: frozenset[str]
    target: Path


def refuse_shared_results(paths: Iterable[Path], request: Request) -> None:
    """Check that no two wheels become the same file, and that none becomes the file that another one is.

    Only wheels of the same distribution, version, Python tag and system can; these are read once more to find their
    platform tags.

    Raises:
        RefusedError: Two do, so only one of them would be kept.

    """
    groups: dict[object, list[Path]] = defaultdict(list)
    for path in paths:
        groups[_identify(path)].append(path)
    for group in groups.values():
        planned = [one for path in group if (one := _plan_result(path, request)) is not None] if len(group) > 1 else []
        for first, second in combinations(planned, 2):
            if first.platforms == second.platforms:
                raise RefusedError(
                    f"{first.source} and {second.source} would both become {second.target}", "repair only one of them"
                )
        for one in planned:
            for other in group:
                if other != one.source and one.target.exists() and one.target.samefile(other):
                    raise RefusedError(
                        f"{one.source} would become {one.target}, which is an input itself",
                        "repair only one of them, or name another directory with -w",
                    )


def _identify(path: Path) -> object:
    """Return what repair keeps of a wheel's name, as installers compare it; the path, if it is not a wheel's name.

    Case and the kind of separator do not tell wheels apart (PEP 503), and many file systems ignore case.
    """
    try:
        name, version, build, _ = parse_wheel_filename(path.name)
    except (InvalidWheelFilename, InvalidVersion):
        return path
    python, abi, platforms = (frozenset(part.split(".")) for part in tag_of(path).split("-"))
    # A repair changes the architecture that a tag names, if the libraries are for another one, but never the system.
    return name, version, build, python, abi, frozenset(map(system_of, platforms))


def _plan_result(path: Path, request: Request) -> _Planned | None:
    """Return what a wheel becomes; None if it is skipped or cannot be repaired, which its repair reports."""
    result = repair(path, request, dry_run=True)
    if result.status == PLANNED and result.plan.grafts:
        # What is copied in can need a newer system, so the tag is not known before.
        with temporary_folder() as folder:
            result = repair(path, replace(request, output=folder, audit=None))
    if not result.plan.platforms or result.error is not None:
        return None
    platforms = result.plan.platforms
    return _Planned(path, frozenset(platforms), request.output / name_with_platforms(path, platforms))
