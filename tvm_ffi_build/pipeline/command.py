"""``tvm-ffi-build wheel``: what it is asked, and what it answers."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cross.command import add_platform_options, asks_for_platforms, build_for_platforms
from ..cross.release import FinishedWheel
from ..errors import RefusedError
from ..frontend.run_frontend import FRONTENDS, BuildRequest
from ..pyproject.build_system import find_project
from ..terminal.command import add_output_options
from ..terminal.output import Output
from ..terminal.progress import progress
from .build import build_wheel

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from .build import BuiltWheel

__all__ = ["populate_parser"]


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``wheel`` to a parser."""
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SRC",
        help="directory of the project (default: the nearest one with a pyproject.toml)",
    )
    parser.add_argument(
        "-w",
        "--wheel-dir",
        metavar="DIR",
        help="directory for the wheel; it is created if it does not exist (default: dist)",
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
        help="a setting for the build backend, such as cmake.build-type=Debug; can be repeated",
    )
    parser.add_argument(
        "--frontend", choices=FRONTENDS, help="what runs the build (default: uv where it is installed, else build)"
    )
    parser.add_argument(
        "--no-repair", action="store_true", help="do not repair the wheel; it works only on machines like this one"
    )
    parser.add_argument("--no-audit", action="store_true", help="do not audit the repaired wheel")
    parser.add_argument(
        "--no-import-check", action="store_true", help="do not import the packages of the wheel, which runs their code"
    )
    parser.add_argument("--allow-no-library", action="store_true", help="accept a wheel without a library")
    parser.add_argument(
        "--variant",
        action="store_true",
        help="experimental: make a variant wheel (PEP 825), which installers choose by the CUDA version and the "
        "architectures of its kernels; pip cannot install it",
    )
    add_platform_options(parser)
    add_output_options(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    source = find_project(Path()) if args.source is None else Path(args.source)
    if args.source is None and source != Path():
        output.note("project", str(source))
    request = BuildRequest(
        source=source,
        # Where a command is run in a subdirectory, as uv and cargo do it.
        output=(source if args.source is None else Path()) / "dist" if args.wheel_dir is None else Path(args.wheel_dir),
        isolated=not args.no_isolation,
        config_settings=tuple(args.config_setting),
        frontend=args.frontend,
    )
    build = partial(
        build_wheel,
        repaired=not args.no_repair,
        audited=not args.no_audit,
        imported=not args.no_import_check,
        may_lack_library=args.allow_no_library,
        output=output,
    )
    if asks_for_platforms(args):
        if args.variant:
            raise RefusedError("--variant is for builds of this machine: nvcc does not cross-compile", "leave it out")
        build_for_platforms(args, request, partial(_build_for_release, partial(build, written={})), output)
        return
    started = time.monotonic()
    with progress(output) as shown:
        wheel = build(request, variant=args.variant, on_step=shown.step)
    output.detail(f"took {time.monotonic() - started:.1f} s")
    output.answer(f"{wheel.path}  {wheel.size / 1000:.1f} kB  {wheel.tag}\n")


def _build_for_release(
    build: Callable[..., BuiltWheel], request: BuildRequest, *, wanted: bool, **options: Any
) -> FinishedWheel:
    wheel = build(request, **options) if wanted else build(request, repaired=False, imported=False, **options)
    return FinishedWheel(wheel.path, None if wheel.report is None else len(wheel.report.findings))
