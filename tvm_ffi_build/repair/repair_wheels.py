"""Repairs wheels, one after the other: each result is checked before it appears, whole, in the output folder."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..audit import Subject, audit_subject
from ..errors import AuditError, RefusedError, RepairError, TvmFfiBuildError, WheelError
from ..external_libraries.presets import find_provider
from ..host.unfinished import temporary_folder, unfinished_folder, write_errors
from ..platforms.systems import LINUX, MACOS, WINDOWS, base_name
from ..runtime import DISTRIBUTION
from ..wheels import name_with_platforms, open_wheel, refuse_signatures, rewrite
from ..wheels.libraries import PURE_PYTHON, THE_RUNTIME, may_hold_library, platform_of, read_libraries
from .changes import Changes, compare_libraries
from .linux import LinuxRepairer
from .macos import MacosRepairer
from .plan import FAILED, PLANNED, REFUSED, REPAIRED, SKIPPED, Result, missing_libraries
from .windows import WindowsRepairer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ..audit import Report
    from ..audit.findings import Finding
    from ..platforms.systems import Platform
    from ..wheels import Wheel
    from ..wheels.libraries import WheelLibraries
    from .plan import Plan, Repairer, Request, Status

__all__ = ["repair", "repair_subject"]

_HASH = re.compile(r"-[0-9a-f]{8,}(?=\.)")
_REPAIRERS: dict[Platform, Repairer] = {LINUX: LinuxRepairer(), MACOS: MacosRepairer(), WINDOWS: WindowsRepairer()}


def repair(path: Path, request: Request, *, dry_run: bool = False) -> Result:
    """Repair one wheel; what happens is in the result, errors that a user can meet as well.

    Args:
        path: The wheel, which is never changed.
        request: What to do.
        dry_run: Whether only to say what would be done.

    """
    try:
        with open_wheel(path) as wheel, temporary_folder() as folder:
            reason = _reason_to_skip_unread(wheel)
            if reason:
                return Result(path, SKIPPED, reason=reason)
            with write_errors(folder.parent, "set TMPDIR to another directory"):
                libraries = read_libraries(wheel, folder)
            return repair_subject(Subject.of(libraries), request, dry_run=dry_run)
    except TvmFfiBuildError as error:
        return _failed(path, error)


def repair_subject(subject: Subject, request: Request, *, dry_run: bool = False) -> Result:
    """Repair a wheel that has been read, as :func:`repair` does."""
    try:
        reason = _reason_to_skip(subject.libraries)
        if reason:
            return Result(subject.path, SKIPPED, reason=reason)
        return _repair(subject, request, dry_run=dry_run)
    except TvmFfiBuildError as error:
        return _failed(subject.path, error)


def _failed(path: Path, error: TvmFfiBuildError) -> Result:
    status: Status = REFUSED if isinstance(error, (RefusedError, WheelError)) else FAILED
    return Result(path, status, reason=str(error), error=error)


def _reason_to_skip_unread(wheel: Wheel) -> str:
    """Return why a wheel is not to be repaired, where that can be told before it is verified.

    The directory that ``pip wheel`` leaves has wheels of others, which need not be right in all.
    """
    if wheel.is_runtime:
        return THE_RUNTIME
    if wheel.platforms != ("any",):
        return ""
    if not may_hold_library(wheel):
        return PURE_PYTHON
    return "" if wheel.runtime_requirements() else f"tagged for every platform, and does not require {DISTRIBUTION}"


def _reason_to_skip(contents: WheelLibraries) -> str:
    """Return why a wheel is not to be repaired.

    Raises:
        RefusedError: It says of itself that it is for every platform, and is not.

    """
    wheel = contents.wheel
    libraries = [*contents.binaries, *contents.damaged]
    if libraries and wheel.platforms == ("any",):
        raise RefusedError(
            f"{wheel.path.name} is tagged for every platform, and holds {libraries[0]}, which is for one",
            "write wheel.platlib = true in [tool.scikit-build], and build it again",
        )
    reason = contents.reason_to_skip()
    return reason or ("" if platform_of(wheel) else f"unknown platform of {wheel.tag}")


def _repair(subject: Subject, request: Request, *, dry_run: bool) -> Result:
    contents = subject.libraries
    wheel = contents.wheel
    _refuse_copies(contents, RefusedError)
    repairer = _REPAIRERS[contents.platform]
    plan = repairer.plan(contents, request)
    _refuse_near_misses(wheel, plan.grafts, request)
    if plan.lost:
        raise missing_libraries(contents, *plan.lost)
    if plan.grafts or request.strip or sorted(plan.platforms) != sorted(wheel.platforms):
        refuse_signatures(wheel)
    if dry_run:
        return Result(wheel.path, PLANNED, plan=_with_warnings(contents, plan, request))
    with unfinished_folder(request.output) as unfinished:
        changes = Changes()
        if plan.grafts or request.strip:
            made, plan, changes, report = _grafted(contents, repairer, plan, request, unfinished)
        else:
            made, report = _retagged(subject, plan, request, unfinished)
        plan = _with_warnings(contents, plan, request)
        result = Result(wheel.path, REPAIRED, path=made, plan=plan, changes=changes, report=report)
        failing = report.failing(strict=request.audit.strict) if report and request.audit else ()
        if failing:
            error = _unfit(made, failing)
            return replace(result, status=FAILED, path=None, reason=str(error), error=error)
        if made == wheel.path:
            return replace(result, status=SKIPPED, reason="already as it should be")
        path = request.output / made.name
        with write_errors(request.output, "choose another directory with -w"):
            if path.exists() and path.samefile(wheel.path):
                raise RefusedError(f"{path} would be overwritten by its own repair", "choose another directory with -w")
            made.replace(path)
    return replace(result, path=path)


def _retagged(subject: Subject, plan: Plan, request: Request, folder: Path) -> tuple[Path, Report | None]:
    """Give a wheel its tags, in a copy that is checked; or leave it as it is, if it lies there with these tags."""
    wheel = subject.libraries.wheel
    target = request.output / name_with_platforms(wheel.path, plan.platforms)
    if target.exists() and target.samefile(wheel.path):
        return wheel.path, _audited(subject, wheel, request)
    with write_errors(request.output, "free some space, or choose another directory with -w"):
        made = rewrite(wheel, folder, plan.platforms)
    with open_wheel(made) as result:
        result.verify(verified=wheel)
        return made, _audited(subject, result, request)


def _grafted(
    contents: WheelLibraries, repairer: Repairer, plan: Plan, request: Request, folder: Path
) -> tuple[Path, Plan, Changes, Report | None]:
    """Let the platform's tool copy libraries into the wheel; check what it made of it, and give that its tags."""
    by_tool, libraries = folder / "grafted", folder / "libraries"
    by_tool.mkdir()
    libraries.mkdir()
    repairer.graft(contents, request, by_tool)
    wheels = sorted(by_tool.glob("*.whl"))
    if len(wheels) != 1:
        raise RepairError(f"the repair of {contents.wheel.path.name} gave {len(wheels)} wheels", "report this")
    with open_wheel(wheels[0]) as wheel:
        grafted = read_libraries(wheel, libraries, contents.platform)
        _refuse_copies(grafted, RepairError)
        left = repairer.plan(grafted, request)
        if left.grafts:
            raise missing_libraries(contents, *left.grafts)
        _keep_record(contents.wheel, wheel)
        changes = compare_libraries(contents, grafted)
        # Also what bundled libraries need.
        _refuse_near_misses(contents.wheel, map(_without_hash, changes.bundled), request)
        warnings = tuple(dict.fromkeys((*plan.warnings, *left.warnings)))
        # What a bundled library needs is left out as well.
        plan = replace(plan, platforms=left.platforms, excluded=left.excluded, warnings=warnings)
        made = rewrite(wheel, folder, left.platforms)
        with open_wheel(made) as result:
            result.verify(verified=wheel)
            return made, plan, changes, _audited(Subject.of(grafted), result, request)


def _audited(subject: Subject, result: Wheel, request: Request) -> Report | None:
    """Audit a result, whose libraries are those that have been read already."""
    if request.audit is None:
        return None
    # What is left out of the wheel on purpose is what users have from elsewhere.
    external = (*request.audit.external, *request.excludes.all_globs())
    return audit_subject(subject.with_tags_of(result, request.audit._replace(external=external)))


def _unfit(made: Path, failing: tuple[Finding, ...]) -> AuditError:
    """Return the error that an audit ends with: the first of what it has found, and how to do without."""
    rule, problem = failing[0]
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return AuditError(
        f"{made.name} is not fit for use: {rule.id}: {problem.message}{more}",
        f"{problem.remedy}; or leave the audit out with --no-audit",
    )


def _refuse_copies(contents: WheelLibraries, error: type[TvmFfiBuildError]) -> None:
    copies = contents.runtime_copies()
    if copies:
        raise error(
            f"{contents.wheel.path.name} contains a copy of the runtime, and a process cannot load two: "
            f"{', '.join(copies)}",
            "take it out of what is installed",
        )


def _refuse_near_misses(wheel: Wheel, libraries: Iterable[str], request: Request) -> None:
    """Check that no library is bundled that an exclude was meant for.

    Raises:
        RefusedError: One is, which has a version that the pattern does not match.

    """
    for library, glob, wider in request.excludes.near_misses(libraries):
        raise RefusedError(
            f"{wheel.path.name} needs {library}, which --exclude {glob} does not match, so it would be bundled",
            f"did you mean --exclude '{wider}'?",
        )


def _without_hash(file: str) -> str:
    """Return the name of a bundled library as it was before auditwheel or delvewheel added a hash."""
    return _HASH.sub("", base_name(file))


def _keep_record(before: Wheel, after: Wheel) -> None:
    """Check that the tool has dropped nothing of the metadata."""
    lost = {name for name in before.files if name.startswith(before.dist_info)} - set(after.files)
    if lost:
        raise RepairError(f"the repair of {before.path.name} lost {', '.join(sorted(lost))}", "report this")


def _with_warnings(contents: WheelLibraries, plan: Plan, request: Request) -> Plan:
    return replace(plan, warnings=(*plan.warnings, *_warnings(contents, plan, request)))


def _warnings(contents: WheelLibraries, plan: Plan, request: Request) -> Iterator[str]:
    for option in request.excludes.unmatched(contents.needed()):
        yield f"{option} matches nothing that the wheel needs"
    for library in plan.excluded:
        provider = find_provider(library)
        if provider and provider.distributions and not contents.wheel.requires_one_of(provider.distributions):
            yield (
                f"{library} is left out and comes with {provider.distributions[0]}, which the wheel does not require; "
                "add it to project.dependencies"
            )
    if not contents.wheel.requires_runtime():
        yield f"the wheel does not require {DISTRIBUTION}; add it to project.dependencies"
