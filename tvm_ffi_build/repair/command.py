"""``tvm-ffi-build repair``: wheels go in, wheels that other machines can install come out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..audit import as_text, findings_as_json, project_settings
from ..errors import NothingToDoError, RepairError
from ..external_libraries.presets import PRESETS
from ..terminal.arguments import read_path
from ..terminal.command import add_output_options, raise_failures
from ..terminal.output import Output, one_line
from ..wheels.libraries import find_wheels
from .plan import PLANNED, REPAIRED, SKIPPED
from .repair_settings import RepairSettings, read_repair_settings
from .repair_wheels import repair
from .shared_results import refuse_shared_results

if TYPE_CHECKING:
    import argparse

    from .plan import Result

__all__ = ["populate_parser"]


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``repair`` to a parser."""
    parser.add_argument(
        "inputs", nargs="+", type=read_path, metavar="WHEEL|DIR", help="wheels, or directories with wheels"
    )
    parser.add_argument(
        "-w",
        "--wheel-dir",
        required=True,
        type=read_path,
        metavar="OUT",
        help="directory for the results; it is created if it does not exist",
    )
    parser.add_argument("--plat", metavar="TAG", help="the platform tag to give (default: the lowest that holds)")
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave libraries of such names out of the wheel; the runtime's always is; can be repeated",
    )
    parser.add_argument(
        "--preset",
        action="append",
        default=[],
        choices=sorted(PRESETS),
        help="leave out what other packages or drivers provide; can be repeated",
    )
    parser.add_argument(
        "--lib-path",
        action="append",
        default=[],
        type=read_path,
        metavar="DIR",
        help="a directory with libraries to bundle; can be repeated",
    )
    parser.add_argument("--strip", action="store_true", help="remove symbols that nothing needs at run time (Linux)")
    parser.add_argument("--no-audit", action="store_true", help="do not audit what was repaired")
    parser.add_argument("--dry-run", action="store_true", help="print the plan, and write nothing")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    add_output_options(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    settings = read_repair_settings(Path())
    asked = RepairSettings(tuple(args.exclude), tuple(args.preset), tuple(args.lib_path), args.strip)
    audit = None if args.no_audit else project_settings(Path())
    request = settings.extended(asked).request(args.wheel_dir, args.plat, audit)
    paths = find_wheels(args.inputs)
    refuse_shared_results(paths, request)
    results = []
    for path in paths:
        result = repair(path, request, dry_run=args.dry_run)
        results.append(result)
        if not args.json:
            _print_result(result, output, several=len(paths) > 1)
    if args.json:
        output.answer_json({"version": 1, "wheels": [_result_as_json(result) for result in results]})
    _raise_failures(results, args.inputs)


def _print_result(result: Result, output: Output, *, several: bool) -> None:
    for warning in result.plan.warnings:
        output.warn(f"{result.source.name}: {warning}")
    if result.report is not None and result.report.findings:
        output.step(as_text([result.report], output.screen).rstrip("\n"))
    if result.path is not None and result.status == REPAIRED:
        output.answer(f"{result.path}  {result.path.stat().st_size / 1000:.1f} kB  {_describe_repair(result)}\n")
    elif result.status == PLANNED:
        output.answer(f"{result.source.name}  {_describe_repair(result)}\n")
    elif result.status == SKIPPED:
        output.note("skipped", f"{result.source.name}: {result.reason}")
    elif several:  # one alone is what the command ends with
        output.note(result.status, result.reason)


def _describe_repair(result: Result) -> str:
    plan = result.plan
    parts = [f"tagged {'.'.join(plan.platforms)}"]
    bundled, removed = _list_bundled(result), result.changes.removed
    parts += [f"{'to bundle' if result.status == PLANNED else 'bundled'} {', '.join(bundled)}"] if bundled else []
    parts += [f"removed the dependency on {', '.join(removed)}"] if removed else []
    parts += [f"left out {', '.join(plan.excluded)}"] if plan.excluded else []
    if result.report is not None:
        parts.append(f"audited: {_count_warnings(len(result.report.findings))}")
    return one_line("; ".join(parts))


def _list_bundled(result: Result) -> tuple[str, ...]:
    """Return the libraries that are in the new wheel, or what is to be there if only a plan was asked for."""
    return result.plan.grafts if result.status == PLANNED else result.changes.bundled


def _count_warnings(warnings: int) -> str:
    return f"{warnings or 'no'} warning{'' if warnings == 1 else 's'}"


def _result_as_json(result: Result) -> dict[str, Any]:
    return {
        "path": str(result.source),
        "status": result.status,
        "result": str(result.path) if result.path else None,
        "reason": result.reason or None,
        "platforms": list(result.plan.platforms),
        "grafted": list(_list_bundled(result)),
        "removed": list(result.changes.removed),
        "excluded": list(result.plan.excluded),
        "warnings": list(result.plan.warnings),
        "findings": None if result.report is None else findings_as_json(result.report),
    }


def _raise_failures(results: list[Result], inputs: list[Path]) -> None:
    """Answer with what went wrong, if something did.

    Raises:
        TvmFfiBuildError: It did.

    """
    wrong = [result.error for result in results if result.error is not None]
    # Of several exit codes, the one that says that something is wrong here and not with the wheels.
    raise_failures(wrong, len(results), "wheels were not repaired", RepairError)
    if all(result.status == SKIPPED for result in results):
        named = ", ".join(map(str, inputs))
        # A plan was made for wheels of extensions alone.
        if any(result.plan.platforms for result in results):
            raise NothingToDoError(f"{named}: nothing to repair: every wheel of an extension is as it should be")
        raise NothingToDoError(f"{named}: no wheel of an extension to repair", "build one with: tvm-ffi-build wheel")
