"""Builds a source tree, checks what came of it, and makes it ready for other machines."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..audit import Subject, as_text, project_settings
from ..cross.targets import NATIVE, parse_target
from ..errors import AuditError, BuildError
from ..frontend.run_frontend import run_build
from ..host.unfinished import OTHER_TEMPORARY, temporary_folder, unfinished_folder, write_errors
from ..plugin import HAS_CONFIG_ENTRY_POINT
from ..repair import read_repair_settings, repair_subject
from ..repair.variant_wheel import write_variant_wheel
from ..runtime import ENVIRONMENT_VARIABLE
from ..terminal.output import Output
from ..wheels import open_wheel, tag_of
from ..wheels.libraries import read_libraries
from ..wheels.own_wheel import DISTRIBUTION, write_own_wheel
from .checks_after import check_built, check_import
from .checks_before import checked_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..audit import Report
    from ..frontend.run_frontend import BuildRequest
    from ..pyproject.build_system import Project
    from ..repair.plan import Request
    from ..wheels import Wheel

__all__ = ["BuiltWheel", "build_wheel"]


@dataclass(frozen=True)
class BuiltWheel:
    """A wheel that was made.

    Attributes:
        path: Where it is.
        size: In bytes.
        tag: The compatibility tag of its name, such as ``py3-none-linux_x86_64``.
        report: What the audit has found, if there was one.

    """

    path: Path
    size: int
    tag: str
    report: Report | None = None


def build_wheel(  # noqa: PLR0913  (a keyword for each option of the command)
    request: BuildRequest,
    *,
    repaired: bool = True,
    audited: bool = True,
    imported: bool = True,
    may_lack_library: bool = False,
    variant: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
    on_start: Callable[[Callable[[], None]], None] = lambda _: None,
    output: Output | None = None,
    written: dict[tuple[Path, str], BuildRequest] | None = None,
) -> BuiltWheel:
    """Build a source tree into a wheel, which appears in the output folder whole or not at all.

    An isolated environment gets this very tvm-ffi-build, whatever the index has.

    Args:
        request: What to build and where to.
        repaired: Whether to make it ready for other machines, as ``tvm-ffi-build repair`` does.
        audited: Whether to audit what was repaired. A wheel that was not is for this machine, and nothing to audit.
        imported: Whether to import its packages, if this machine can.
        may_lack_library: Whether a wheel without a library is what was wanted.
        variant: Whether to make a variant wheel (PEP 825) of it, with the same contents as the wheel that was audited.
        on_step: Is called with each step that begins.
        on_start: Is called with what ends the build before its time, from another thread.
        output: Where lines of the build and warnings go; None for nowhere.
        written: The wheels that builds of the same command have written, to which this one is added. An older wheel of
            the same name is replaced, one of the same command is not.

    Raises:
        ProjectError: The source cannot be built, or a setting is not ``key=value``.
        OutputError: The output folder cannot be written.
        BuildError: The build failed, was not for the platform that was asked for, holds no library, or cannot be
            imported.
        AgnosticError: The wheel is tagged for any Python 3, and a library in it calls into CPython.
        MissingToolError: The front end or a repair tool is not installed.
        RefusedError, RepairError: The wheel cannot be made ready for other machines.
        AuditError: It is not fit for use.

    """
    output = output or Output(-1)
    project = checked_project(request, output)
    settings, audit = read_repair_settings(request.source), project_settings(request.source) if audited else None
    with temporary_folder() as own, unfinished_folder(request.output) as unfinished:
        inner = replace(
            request,
            source=request.source.resolve(),
            output=unfinished,
            constraints=_write_constraints(own, request.pins) if request.isolated else None,
            environment={**_make_environment(project), **request.environment},
            config_settings=(*request.config_settings, *_list_implied_settings(request, project)),
        )
        run_build(inner, on_step=on_step, on_line=output.detail, on_start=on_start)
        wheels = sorted(unfinished.glob("*.whl"))
        if len(wheels) != 1:
            raise BuildError(
                f"{request.source} gave {len(wheels)} wheels where one was expected", "run it again with -v"
            )
        target = parse_target(request.platform) if request.platform else None
        wheel, report = wheels[0], None
        # Opened and read once: the checks, the repair and the audit share what was found.
        with open_wheel(wheel) as opened:
            subject = _read(opened, own / "unpacked")
            check_built(subject, project, target, repaired=repaired, may_lack_library=may_lack_library)
            if repaired:
                wanted = settings.request(unfinished / "repaired", request.platform, audit)
                wheel, report = _repair_built(wheel, subject, wanted, on_step, output)
        if imported:
            on_step(f"Importing {wheel.name}")
            check_import(wheel, own, output)
        tag = tag_of(wheel)
        if variant:
            on_step(f"Making a variant of {wheel.name}")
            wheel = write_variant_wheel(wheel, unfinished / "variant")
        path = request.output / wheel.name
        if written is not None:
            _claim_name(path, request, written)
        wheel.replace(path)
    return BuiltWheel(path, path.stat().st_size, tag, report)


def _claim_name(path: Path, request: BuildRequest, written: dict[tuple[Path, str], BuildRequest]) -> None:
    """Check that no other build of the same command has written a wheel of the same name.

    Raises:
        BuildError: One has, which this one would overwrite.

    """
    # One step, since builds run in threads.
    other = written.setdefault((path.parent, path.name.lower()), request)
    if other is not request:
        platform, others = request.platform or NATIVE, other.platform or NATIVE
        raise BuildError(f"the builds for {others} and {platform} both give {path.name}", "leave one of them out")


def _read(wheel: Wheel, folder: Path) -> Subject:
    """Verify a wheel and read its libraries, which are unpacked into a new folder."""
    with write_errors(folder.parent, OTHER_TEMPORARY):
        folder.mkdir()
        return Subject.of(read_libraries(wheel, folder))


def _list_implied_settings(request: BuildRequest, project: Project) -> Iterator[str]:
    """Yield what follows from the settings of the request, which the plugin is not shown."""
    for setting in request.config_settings:
        key, _, value = setting.partition("=")
        if project.uses_this_plugin and key.removeprefix("skbuild.") == "wheel.py-api":
            yield f"cmake.define.TVM_FFI_WHEEL_IS_AGNOSTIC={'ON' if value.startswith('py') else 'OFF'}"
        if project.uses_this_plugin and key.removeprefix("skbuild.").startswith("wheel.packages"):
            yield "cmake.define.TVM_FFI_WHEEL_PACKAGES="


def _make_environment(project: Project) -> dict[str, str]:
    """Return what the build has to be told by variables."""
    environment = {}
    runtime = os.environ.get(ENVIRONMENT_VARIABLE)
    if runtime:
        # The build runs in other folders than this one.
        environment[ENVIRONMENT_VARIABLE] = str(Path(runtime).resolve())
    if project.uses_this_plugin and not HAS_CONFIG_ENTRY_POINT:
        # The plugin's defaults, by the way that is left; what the user has set stays.
        defaults = {"SKBUILD_WHEEL_REPRODUCIBLE": "true"}
        if None in project.py_apis and not project.binds_python:
            defaults["SKBUILD_WHEEL_PY_API"] = "py3"
        environment.update((name, value) for name, value in defaults.items() if not os.environ.get(name))
    return environment


def _repair_built(
    wheel: Path, subject: Subject, request: Request, on_step: Callable[[str], None], output: Output
) -> tuple[Path, Report | None]:
    """Repair a wheel, if it is one to be repaired, and say what the audit has found in it."""
    on_step(f"Repairing {wheel.name}")
    result = repair_subject(subject, request)
    if result.report is not None and result.report.findings:
        output.step(as_text([result.report], output.screen).rstrip("\n"))
    if isinstance(result.error, AuditError):
        raise result.error
    if result.error is not None:
        raise result.error.with_remedy("or leave the wheel as it is with --no-repair")
    for warning in result.plan.warnings:
        output.warn(warning)
    if result.path is None:
        output.detail(f"not repaired: {result.reason}")
    return result.path or wheel, result.report


def _write_constraints(folder: Path, pins: Iterable[str]) -> Path:
    """Write a constraints file by which an environment that asks for tvm-ffi-build gets the running one."""
    path = folder / "constraints.txt"
    with write_errors(folder.parent, OTHER_TEMPORARY):
        own = write_own_wheel(folder)
        # With its hash, for uv where hashes are required; as "--hash" it would make pip require those of all others.
        digest = hashlib.sha256(own.read_bytes()).hexdigest()
        lines = [f"{DISTRIBUTION} @ {own.as_uri()}#sha256={digest}", *pins]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
