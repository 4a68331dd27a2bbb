"""``tvm-ffi-build audit``: proves that wheels are what their tags say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NothingToDoError, TvmFfiBuildError
from ..terminal.arguments import read_path
from ..terminal.command import add_verbosity, end_with_error
from ..terminal.output import Output, error_line, one_line
from ..terminal.streams import write_message
from ..wheels.libraries import find_wheels
from .audit_wheels import audit, project_settings
from .formats.github import as_github
from .formats.sarif import as_sarif
from .formats.text_and_json import Failure, as_json, as_text
from .rules import RULES
from .several_wheels import check_pairs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from .audit_settings import Settings
    from .audit_wheels import Report

__all__ = ["populate_parser"]

_FORMATS = {"text": lambda reports, _: as_text(reports), "json": as_json, "sarif": as_sarif, "github": as_github}
# What this command answers by its exit code.
_FOUND, _NOT_AUDITED = 1, 2


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``audit`` to a parser."""
    parser.add_argument(
        "paths", nargs="+", type=read_path, metavar="PATH", help="wheels, folders with wheels, or bare libraries"
    )
    for option, meaning in (
        ("--select", "check these rules alone: ids, or how they begin; may be given several times"),
        ("--ignore", "leave out these rules; may be given several times"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="RULES", help=meaning)
    parser.add_argument("--format", choices=sorted(_FORMATS), default="text", help="how to answer (default text)")
    parser.add_argument("--strict", action="store_true", help="fail on warnings, too")
    parser.add_argument(
        "--load", action="store_true", help="load libraries to compare their stubs, which runs their code"
    )
    parser.add_argument(
        "--import",
        dest="imports",
        action="store_true",
        help="import the packages of wheels for this machine, which runs their code",
    )
    add_verbosity(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity)
    try:
        settings = _read_options(args)
        reports, failures = _audit_all(find_wheels(args.paths), settings)
        _print_answer(reports, failures, args.format, output)
        if all(report.passed_over for report in reports) and not failures:
            named = ", ".join(map(str, args.paths))
            raise NothingToDoError(f"{named}: nothing to audit", "name a wheel that uses the runtime, or a library")
    except TvmFfiBuildError as error:
        end_with_error("tvm-ffi-build", error, exit_code=_NOT_AUDITED)
    if failures:
        raise SystemExit(_NOT_AUDITED)
    if any(report.failing(strict=settings.strict) for report in reports):
        raise SystemExit(_FOUND)


def _read_options(args: argparse.Namespace) -> Settings:
    """Return what the project has set, as the options change it."""
    narrowed = project_settings(Path()).narrowed(_split_ids(args.select), _split_ids(args.ignore), strict=args.strict)
    return narrowed.checked(RULES, "--select, --ignore")._replace(load=args.load, imports=args.imports)


def _split_ids(options: list[str]) -> tuple[str, ...]:
    return tuple(word.strip() for option in options for word in option.split(","))


def _audit_all(paths: Sequence[Path], settings: Settings) -> tuple[list[Report], list[Failure]]:
    """Audit one after the other; one that cannot be audited is no reason not to audit the next."""
    reports, failures = [], []
    for path in paths:
        try:
            reports.append(audit(path, settings))
        except TvmFfiBuildError as error:  # noqa: PERF203  (beside an audit, that is nothing)
            failures.append(Failure(path, str(error)))
    return check_pairs(reports, settings), failures


def _print_answer(reports: list[Report], failures: list[Failure], how: str, output: Output) -> None:
    for report in reports:
        if report.passed_over:
            output.step(f"passed over: {one_line(report.path.name)}: {report.passed_over}")
        if report.not_imported:
            output.step(f"import not checked: {one_line(report.path.name)}: {report.not_imported}")
    answer = _FORMATS[how](reports, failures)
    if how == "github":
        output.answer_commands(answer)
    else:
        output.answer(answer)
    for failure in failures:
        write_message(error_line("tvm-ffi-build", failure.message))
