"""``tvm-ffi-build toolchain``, and what ``tvm-ffi-build wheel`` is asked for other platforms with."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..config import cmake_dir
from ..errors import BuildError, MissingToolError, PlatformError, ProjectError, TvmFfiBuildError
from ..host.programs import python_command
from ..platforms.systems import LINUX, WINDOWS
from ..runtime import DISTRIBUTION, find_runtime
from ..terminal.arguments import read_path
from ..terminal.command import add_output_options, raise_failures
from ..terminal.output import Output
from ..terminal.progress import progress
from ..wheels import open_wheel
from .compiler.toolchain import write_toolchain
from .compiler.zig import find_zig
from .platform_choice import choose_platforms, parse_release
from .release import Release
from .request import require_crossable
from .runtimes import cache_dir, fetch_runtime, require_available
from .targets import ALL, NATIVE, parse_target, parse_version

if TYPE_CHECKING:
    import argparse

    from ..frontend.run_frontend import BuildRequest
    from .compiler.zig import Zig
    from .platform_choice import PlatformChoice
    from .release import Build, Outcome
    from .targets import Target

__all__ = ["add_platform_options", "asks_for_platforms", "build_for_platforms", "populate_parser"]


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``toolchain`` to a parser."""
    parser.add_argument("--platform", required=True, metavar="TAG", help="such as manylinux_2_28_aarch64 or win_amd64")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=read_path,
        metavar="DIR",
        help="directory for the files; it is created if it does not exist",
    )
    _add_runtime_options(parser)
    add_output_options(parser)
    parser.set_defaults(command=_write_toolchain)


def add_platform_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for other platforms to the parser of ``wheel``."""
    group = parser.add_argument_group("other platforms")
    group.add_argument(
        "--platform",
        action="append",
        default=[],
        dest="platforms",
        metavar="TAG|all|native",
        help="a platform to build for, such as manylinux_2_28_aarch64, macosx_11_0_arm64 or win_amd64, each that the "
        "runtime has wheels for, or this machine with its own compiler; can be repeated",
    )
    group.add_argument("--manylinux", metavar="X_Y", help="with all: the oldest glibc (default: the runtime's)")
    group.add_argument("--macos", metavar="X_Y", help="with all: the oldest macOS (default: the runtime's)")
    _add_runtime_options(group)
    group.add_argument("--jobs", type=int, default=1, metavar="N", help="how many platforms at a time (default 1)")
    group.add_argument("--keep-going", action="store_true", help="build the others where one platform fails")
    group.add_argument("--json", action="store_true", help="print the result of each platform as JSON")


def asks_for_platforms(args: argparse.Namespace) -> bool:
    """Say whether one of these options is given; without ``--platform`` it is about this machine."""
    options = (args.platforms, args.manylinux, args.macos, args.runtime_version, args.find_links, args.keep_going)
    return any(options) or args.json or args.jobs != 1


def _add_runtime_options(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--runtime-version",
        metavar="V",
        help="the release of apache-tvm-ffi to build against (default: the one in this environment)",
    )
    parser.add_argument(
        "--find-links",
        type=read_path,
        metavar="DIR",
        help="take the wheels of apache-tvm-ffi from a directory instead of PyPI",
    )


def _write_toolchain(args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    target = parse_target(args.platform)
    version = parse_release(args.runtime_version or find_runtime().version)
    require_available(target, version)
    zig = find_zig()
    zig.require(target)
    runtime = fetch_runtime(target, version, cache_dir(), args.find_links, output.step)
    output.detail(f"runtime {runtime.version} in {runtime.package}")
    variables = {"tvm_ffi_DIR": cmake_dir().as_posix(), "TVM_FFI_RUNTIME": runtime.package.parent.as_posix()}
    output.answer(f"{write_toolchain(target, zig, args.output, variables)}\n")


def build_for_platforms(args: argparse.Namespace, request: BuildRequest, build: Build, output: Output) -> None:
    """Do what ``wheel`` is asked for with ``--platform``.

    Args:
        args: Those of its parser.
        request: The build for this machine.
        build: Builds one wheel.
        output: Where warnings and the answer go.

    Raises:
        TvmFfiBuildError: A platform is none, what is needed is missing, or a wheel could not be built.

    """
    if args.jobs < 1:
        raise ProjectError(f"--jobs {args.jobs} builds nothing", "write 1 or more")
    wanted = _read_platforms(args)
    targets = [target for target in wanted.platforms if target is not None]
    zig = _require_cross_tools(request, targets, repaired=not args.no_repair) if targets else None
    if args.runtime_version and not request.isolated:
        _require_installed(wanted.version, args.runtime_version)
    # A build for this machine alone gets the runtime that its project asks for, as it does without these options.
    if targets or args.runtime_version:
        request = replace(request, pins=(f"{DISTRIBUTION}=={wanted.version}",))
    release = Release(request, wanted, zig, cache_dir(), args.find_links, args.jobs, args.keep_going, output.step)
    outcomes, failure = _build_all(release, build, output)
    rows = [_outcome_as_json(outcome) for outcome in outcomes]
    if args.json:
        output.answer_json({"version": 1, "wheels": rows})
    else:
        output.answer(_render_table(rows))
    if failure is not None:
        raise failure
    _require_all_built(outcomes)


def _read_platforms(args: argparse.Namespace) -> PlatformChoice:
    """Return the platforms and the release of the runtime that a command line names.

    Raises:
        PlatformError: It names a platform that no wheel can be built for, or a version where none belongs.

    """
    words = args.platforms or [NATIVE]
    if ALL not in words and (args.manylinux or args.macos):
        raise PlatformError(f"--manylinux and --macos are for --platform {ALL}", "write the version into the tag")
    manylinux, macos = (parse_version(text) if text else None for text in (args.manylinux, args.macos))
    return choose_platforms(words, args.runtime_version or find_runtime().version, manylinux, macos)


def _require_cross_tools(request: BuildRequest, targets: list[Target], *, repaired: bool) -> Zig:
    """Return the compiler for other platforms, before anything is built.

    Raises:
        ProjectError: The project's wheel is not the same for every Python.
        MissingToolError: The compiler, or what the repair calls, is not installed.
        PlatformError: The compiler does not know a platform.

    """
    require_crossable(request)
    zig = find_zig()
    for target in targets:
        zig.require(target)
    if repaired:
        _require_repair_tools(targets)
    return zig


def _require_installed(version: str, asked: str) -> None:
    """Check that this environment has the release of the runtime that a build without isolation is asked for.

    Raises:
        ProjectError: It has another.

    """
    here = find_runtime().version
    if here not in {asked, version}:
        raise ProjectError(
            f"this environment has {DISTRIBUTION} {here} and not {version}",
            "leave out --no-isolation, or --runtime-version",
        )


def _build_all(release: Release, build: Build, output: Output) -> tuple[list[Outcome], TvmFfiBuildError | None]:
    """Return what came of the platforms that were tried, and what ended the release before its time."""
    outcomes: list[Outcome] = []
    with progress(output) as shown:

        def take(outcome: Outcome) -> None:
            outcomes.append(outcome)
            shown.end("failed" if outcome.error else "done", outcome.name)
            if outcome.error is not None and release.keep_going:
                output.note("failed", f"{outcome.name}: {outcome.error}")

        try:
            release.run(build, lambda name, step: shown.step(step, name), take)
        except TvmFfiBuildError as error:
            return outcomes, error
    return outcomes, None


def _require_repair_tools(targets: list[Target]) -> None:
    """Look for what the repair of wheels for other platforms calls, before anything is built.

    Raises:
        MissingToolError: It is not installed.

    """
    tools = {LINUX: "auditwheel", WINDOWS: "delvewheel"}
    for tool in sorted({tools[target.system] for target in targets if target.system in tools}):
        if importlib.util.find_spec(tool) is None:
            raise MissingToolError(
                f"{tool} is not installed, which the repair of these wheels needs",
                f"run: {python_command()} -m pip install 'tvm-ffi-build[cross]', or add --no-repair",
            )


def _outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {
        "platform": outcome.name,
        "path": str(outcome.made.path) if outcome.made else None,
        "size": None,
        "tag": None,
        "runtime": None,
        "audit": None,
        "error": str(outcome.error) if outcome.error else None,
        "seconds": round(outcome.seconds, 1),
    }
    if outcome.made:
        path, warnings = outcome.made
        with open_wheel(path) as wheel:
            runtime = " or ".join(map(str, wheel.runtime_bounds())) or None
            row |= {
                "size": path.stat().st_size,
                "tag": wheel.tag,
                "runtime": runtime,
                "audit": _describe_audit(warnings),
            }
    return row


def _describe_audit(warnings: int | None) -> str:
    """Return what the audit has said; errors are none of it, since they leave no wheel."""
    if warnings is None:
        return "not audited"
    return f"{warnings} warning{'' if warnings == 1 else 's'}" if warnings else "clean"


def _render_table(rows: list[dict[str, Any]]) -> str:
    """Return a line for each wheel: path, size, tag, the runtimes that it admits, the audit's word, what it took."""
    cells = [
        (
            row["path"],
            f"{row['size'] / 1000:.1f} kB",
            row["tag"],
            row["runtime"] or "any",
            row["audit"],
            f"{row['seconds']:.1f} s",
        )
        for row in rows
        if row["path"]
    ]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in cells)


def _require_all_built(outcomes: list[Outcome]) -> None:
    """Check that each platform that was kept going for has its wheel.

    Raises:
        TvmFfiBuildError: One has not: its own error where it is the only platform, else one of the same kind.

    """
    errors = {outcome.name: outcome.error for outcome in outcomes if outcome.error is not None}
    raise_failures([*errors.values()], len(outcomes), f"wheels were not built: {', '.join(errors)}", BuildError)
