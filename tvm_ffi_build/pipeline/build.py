"""``tvm-ffi-build wheel``: from a source tree to a wheel, in one command."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import sys
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .audit import as_text, project_settings
from .binaries.agnostic import require_agnostic
from .cli import Output, add_verbosity, add_version
from .contents import platform_of, read_contents
from .contract import read_ledger
from .contract.assess import assess_wheel
from .contract.spans import as_span
from .cross.command import add_platform_options, asks_for_platforms, build_for_platforms
from .cross.release import Made
from .errors import AuditError, BuildError, ProjectError
from .frontend import FRONTENDS, BuildRequest, run_build
from .own_wheel import DISTRIBUTION, write_own_wheel
from .plugin import HAS_CONFIG_ENTRY_POINT, providers_are_off
from .project import read_project
from .repair import read_settings, repair
from .runtime import ENVIRONMENT_VARIABLE
from .scratch import OTHER_TEMPORARY, temporary, unfinished_in, writing
from .wheels import open_wheel

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from .audit import Report
    from .project import Project
    from .repair.plan import Request

__all__ = ["BuiltWheel", "build_wheel", "populate_parser"]

# Control characters, and what Python makes of bytes that are no UTF-8.
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# With the version that a library's name may end in on Linux.
_LIBRARY = re.compile(r"\.(so(\.\d+)*|dylib|dll|pyd)$")


# What other build backends build a library with, by a part of their names.
_CMAKE_SUPPORT = {
    "hatchling": 'hatchling runs CMake with "scikit-build-core[hatchling]" in build-system.requires and a table '
    "[tool.hatch.build.targets.wheel.hooks.scikit-build]",
    "setuptools": 'setuptools runs CMake with "scikit-build-core[wheel-free-setuptools]" in build-system.requires and '
    'setup(cmake_source_dir=".")',
    "mesonpy": "meson.build has no shared_library(..., install: true)",
}


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


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``wheel`` to a parser."""
    parser.add_argument(
        "source", nargs="?", default=".", metavar="SRC", help="folder with a pyproject.toml (default .)"
    )
    parser.add_argument(
        "-w", "--wheel-dir", default="dist", metavar="DIR", help="folder for the wheel, made if need be (default dist)"
    )
    parser.add_argument(
        "--no-isolation", action="store_true", help="build in this environment, which must have all it needs"
    )
    parser.add_argument(
        "-C",
        "--config-setting",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting for the build backend, such as cmake.build-type=Debug; may be given several times",
    )
    parser.add_argument(
        "--frontend", choices=FRONTENDS, help="what runs the build (default: uv where it is installed, else build)"
    )
    parser.add_argument(
        "--no-repair", action="store_true", help="leave the wheel as it was built, for this machine and its like alone"
    )
    parser.add_argument("--no-audit", action="store_true", help="do not audit the repaired wheel")
    add_platform_options(parser)
    add_version(parser)
    add_verbosity(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity)
    request = BuildRequest(
        source=Path(args.source),
        output=Path(args.wheel_dir),
        isolated=not args.no_isolation,
        config_settings=tuple(args.config_setting),
        frontend=args.frontend,
    )
    if asks_for_platforms(args):
        build = partial(_made, repaired=not args.no_repair, audited=not args.no_audit, output=output)
        with _progress(output) as on_step:
            build_for_platforms(args, request, build, output, on_step)
        return
    started = time.monotonic()
    with _progress(output) as on_step:
        wheel = build_wheel(
            request, repaired=not args.no_repair, audited=not args.no_audit, on_step=on_step, output=output
        )
    output.detail(f"took {time.monotonic() - started:.1f} s")
    output.answer(f"{wheel.path}  {wheel.size / 1000:.1f} kB  {wheel.tag}\n")


def _made(request: BuildRequest, **options: Any) -> Made:
    wheel = build_wheel(request, **options)
    return Made(wheel.path, None if wheel.report is None else len(wheel.report.findings))


def build_wheel(
    request: BuildRequest,
    *,
    repaired: bool = True,
    audited: bool = True,
    on_step: Callable[[str], None] = lambda _: None,
    on_start: Callable[[Callable[[], None]], None] = lambda _: None,
    output: Output | None = None,
) -> BuiltWheel:
    """Build a source tree into a wheel, which appears in the output folder whole or not at all.

    An isolated environment gets this very tvm-ffi-build, whatever the index has.

    Args:
        request: What to build and where to.
        repaired: Whether to make it ready for other machines, as ``tvm-ffi-build repair`` does.
        audited: Whether to audit what was repaired. A wheel that was not is for this machine, and nothing to audit.
        on_step: Is called with each step that begins.
        on_start: Is called with what ends the build before its time, from another thread.
        output: Where lines of the build and warnings go; None for nowhere.

    Raises:
        ProjectError: The source cannot be built, or a setting is not ``key=value``.
        OutputError: The output folder cannot be written.
        BuildError: The build failed.
        AgnosticError: The wheel is tagged for any Python 3, and a library in it calls into CPython.
        MissingToolError: The front end or a repair tool is not installed.
        RefusedError, RepairError: The wheel cannot be made ready for other machines.
        AuditError: It is not fit for use.

    """
    output = output or Output(-1)
    project = _checked_project(request, output)
    settings, audit = read_settings(request.source), project_settings(request.source) if audited else None
    with temporary() as own, unfinished_in(request.output) as unfinished:
        inner = replace(
            request,
            source=request.source.resolve(),
            output=unfinished,
            constraints=_constraints(own, request.pins) if request.isolated else None,
            environment={**_environment(project), **request.environment},
            config_settings=(*request.config_settings, *_implied_settings(request, project)),
        )
        run_build(inner, on_step=on_step, on_line=output.detail, on_start=on_start)
        wheels = sorted(unfinished.glob("*.whl"))
        if len(wheels) != 1:
            raise BuildError(f"{request.source} gave {len(wheels)} wheels where one was expected; run it again with -v")
        libraries = _libraries(wheels[0], own)
        _check_tag(wheels[0], libraries)
        if project.uses_this_plugin and not libraries:
            _require_library(project, wheels[0])
            output.step("warning: the wheel holds no library; install(TARGETS ...) puts one in")
        _check_requirement(wheels[0], unfinished, project)
        wheel, report = wheels[0], None
        if repaired:
            wanted = settings.request(unfinished / "repaired", request.platform, audit)
            wheel, report = _repaired(wheel, wanted, on_step, output)
        path = request.output / wheel.name
        wheel.replace(path)
    return BuiltWheel(path, path.stat().st_size, _tag(path), report)


def _checked_project(request: BuildRequest, output: Output) -> Project:
    """Read the project; stop at, or warn of, what is known to go wrong before anything is started."""
    project = read_project(request.source)
    if project.backend is None:
        raise ProjectError(
            f"{request.source / 'pyproject.toml'} has no build-backend; write [build-system] with "
            'requires = ["scikit-build-core>=1.0", "tvm-ffi-build"] and build-backend = "scikit_build_core.build"'
        )
    for setting in request.config_settings:
        if not setting.partition("=")[0] or "=" not in setting:
            raise ProjectError(f"config setting {setting!r} is not KEY=VALUE")
    for folder in (request.source, request.output):
        if _NO_TEXT.search(str(folder.resolve())):
            # Neither CMake nor a file's URL can carry them.
            raise ProjectError(f"{str(folder)!r} holds a line break or bytes that are no text; rename the folder")
    if project.uses_this_plugin:
        _require_reach(project)
        if not request.isolated:
            _require_plugin_points()
        if providers_are_off(os.environ):
            output.step("warning: SKBUILD_NO_ENTRYPOINT_CONFIG is set: the build does without tvm-ffi-build's defaults")
    return project


def _require_reach(project: Project) -> None:
    """Check that what the project is built by calls this plugin, which on older Pythons is not a matter of course."""
    if HAS_CONFIG_ENTRY_POINT or project.uses_provider or project.backend == "mesonpy":
        return
    if project.backend != "scikit_build_core.build":
        raise ProjectError(
            f"below Python 3.11 tvm-ffi-build does not reach a build by {project.backend}; build with a newer Python: "
            "a wheel that is py3 serves the older ones too"
        )
    raise ProjectError(
        "below Python 3.11 tvm-ffi-build reaches a build through its metadata provider alone; write "
        '[[tool.dynamic-metadata]] with provider = "tvm-ffi-build", and dynamic = ["dependencies"] in [project]'
    )


def _implied_settings(request: BuildRequest, project: Project) -> Iterator[str]:
    """Yield what follows from the settings of the request, which the plugin is not shown."""
    for setting in request.config_settings:
        key, _, value = setting.partition("=")
        if project.uses_this_plugin and key.removeprefix("skbuild.") == "wheel.py-api":
            yield f"cmake.define.TVM_FFI_WHEEL_IS_AGNOSTIC={'ON' if value.startswith('py') else 'OFF'}"


def _environment(project: Project) -> dict[str, str]:
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


def _libraries(wheel: Path, folder: Path) -> list[Path]:
    """Unpack the libraries of a wheel into a folder."""
    with zipfile.ZipFile(wheel) as archive, writing(folder.parent, OTHER_TEMPORARY):
        names = [name for name in archive.namelist() if _LIBRARY.search(name)]
        return [Path(archive.extract(name, folder / "libraries")) for name in names]


def _require_library(project: Project, wheel: Path) -> None:
    """Check that a backend which builds no library by itself was told to; scikit-build-core always does."""
    for backend, remedy in _CMAKE_SUPPORT.items():
        if backend in (project.backend or ""):
            raise BuildError(f"{wheel.name} holds no library: {remedy}")


def _check_tag(wheel: Path, libraries: list[Path]) -> None:
    """Check that a wheel's tag is true of the libraries in it.

    CMake has checked those that it was told of, by the tag that was to be expected; here are all, and the tag itself.
    """
    tag = _tag(wheel)
    if libraries and tag.endswith("-any"):
        raise BuildError(f"{wheel.name} holds a library but claims every platform; set wheel.platlib = true")
    if tag.startswith("py3-none-"):
        for library in libraries:
            require_agnostic(library)


def _check_requirement(wheel: Path, folder: Path, project: Project) -> None:
    """Check that a wheel admits no runtime that its libraries and Python files are known to fail on.

    What it requires was written before anything was compiled.
    """
    ledger = read_ledger()
    with open_wheel(wheel) as opened:
        platform = platform_of(opened)
        if platform is None:
            return
        (folder / "contents").mkdir()
        contents = read_contents(opened, platform, folder / "contents")
        found = assess_wheel(contents, ledger)
    failing = found.too_wide(ledger)
    if failing:
        reason = found.verdicts[failing[0]].reasons[0].text
        remedy = f'requires = "{found.range}" in [tool.tvm-ffi-build.runtime]'
        if not (project.uses_provider or project.uses_setuptools):
            remedy = f'"apache-tvm-ffi{found.range}" in dependencies of [project]'
        raise BuildError(
            f"{wheel.name} requires apache-tvm-ffi{found.declared}, and fails on {as_span(failing, ledger.releases)} "
            f"({reason}); write {remedy}"
        )


def _repaired(
    wheel: Path, request: Request, on_step: Callable[[str], None], output: Output
) -> tuple[Path, Report | None]:
    """Repair a wheel, if it is one to be repaired, and say what the audit has found in it."""
    on_step(f"Repairing {wheel.name}")
    result = repair(wheel, request)
    if result.report is not None and result.report.findings:
        output.step(as_text([result.report]).rstrip("\n"))
    if isinstance(result.error, AuditError):
        raise result.error
    if result.error is not None:
        remedy = "; or leave the wheel as it is with --no-repair"
        raise type(result.error)(f"{result.error}{remedy}")
    for warning in result.plan.warnings:
        output.step(f"warning: {warning}")
    if result.path is None:
        output.detail(f"not repaired: {result.reason}")
    return result.path or wheel, result.report


def _constraints(folder: Path, pins: Iterable[str]) -> Path:
    """Write a constraints file by which an environment that asks for tvm-ffi-build gets the running one."""
    path = folder / "constraints.txt"
    with writing(folder.parent, OTHER_TEMPORARY):
        own = write_own_wheel(folder)
        # With its hash, for uv where hashes are required; as "--hash" it would make pip require those of all others.
        digest = hashlib.sha256(own.read_bytes()).hexdigest()
        lines = [f"{DISTRIBUTION} @ {own.as_uri()}#sha256={digest}", *pins]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _tag(wheel: Path) -> str:
    # {name}-{version}(-{build})?-{python}-{abi}-{platform}.whl, where no part holds a hyphen.
    return "-".join(wheel.stem.split("-")[-3:])


def _require_plugin_points() -> None:
    """Check that the scikit-build-core of this environment knows the entry points of the plugin."""
    from packaging.version import Version  # noqa: PLC0415

    try:
        version = importlib.metadata.version("scikit-build-core")
    except importlib.metadata.PackageNotFoundError:
        return  # another backend
    if Version(version) < Version("1.0"):
        raise ProjectError(
            f"scikit-build-core {version} cannot be plugged into, 1.0 can; "
            f"run: {sys.executable} -m pip install 'scikit-build-core>=1.0'"
        )


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[str], None]]:
    """Show the steps of a build: on a terminal one line that changes, elsewhere a line each."""
    if output.verbosity != 0 or not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield lambda step: output.step(f"* {step}")
        return
    from rich.console import Console  # noqa: PLC0415  (an extra)
    from rich.text import Text  # noqa: PLC0415

    with Console(stderr=True).status("Starting") as status:
        # As text: what a build prints is no markup.
        yield lambda step: status.update(Text(step))
