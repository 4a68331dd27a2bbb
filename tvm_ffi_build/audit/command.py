"""``tvm-ffi-build audit``: checks wheels against what their tags promise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitStatus, NothingToDoError, OutputError, TvmFfiBuildError, UsageError
from ..terminal.arguments import read_path
from ..terminal.command import add_output_options
from ..terminal.output import Output
from ..terminal.screen import PLAIN
from ..wheels.libraries import find_wheels
from .audit_wheels import audit, project_settings
from .formats.data import Failure, as_json
from .formats.github import as_github
from .formats.sarif import as_sarif
from .formats.text import as_statistics, as_text
from .rule_pages import explain_rule, list_rules
from .rules import RULES
from .several_wheels import check_pairs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from .audit_settings import Settings
    from .audit_wheels import Report

__all__ = ["populate_parser"]

_TEXT = "text"
_GITHUB = "github"
_FORMATS = {"json": as_json, "sarif": as_sarif, _GITHUB: as_github}
# The exit status where something was found.
_FOUND = ExitStatus.FOUND


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``audit`` to a parser."""
    parser.add_argument(
        "paths", nargs="*", type=read_path, metavar="PATH", help="wheels, directories with wheels, or libraries"
    )
    rules = parser.add_argument_group("rules")
    for option, meaning in (
        ("--select", "check only these rules: ids or how they start, separated by commas; can be repeated"),
        ("--ignore", "skip these rules; can be repeated"),
    ):
        rules.add_argument(option, action="append", default=[], metavar="RULES", help=meaning)
    rules.add_argument("--strict", action="store_true", help="fail on warnings too")
    rules.add_argument("--exit-zero", action="store_true", help="exit with 0 even if something was found")
    rules.add_argument("--load", action="store_true", help="load libraries to compare stubs; this runs their code")
    rules.add_argument(
        "--import",
        dest="imports",
        action="store_true",
        help="import the packages of wheels for this machine; this runs their code",
    )
    rules.add_argument("--list-rules", action="store_true", help="list all rules, and check nothing")
    rules.add_argument("--explain", metavar="RULE", help="explain a rule, and check nothing")
    answer = parser.add_argument_group("report")
    answer.add_argument("--format", choices=sorted({_TEXT, *_FORMATS}), default=_TEXT, help="default: text")
    answer.add_argument("--statistics", action="store_true", help="print only how often each rule was broken")
    answer.add_argument("--output-file", type=read_path, metavar="FILE", help="write the report to a file")
    add_output_options(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    if args.list_rules or args.explain:
        screen = output.answer_screen
        output.answer(explain_rule(args.explain, screen) if args.explain else list_rules(screen))
        return
    if not args.paths:
        raise UsageError("no wheel, directory or library was given", "for example: tvm-ffi-build audit dist")
    settings = _read_options(args)
    reports, failures = _audit_all(find_wheels(args.paths), settings)
    for report in reports:
        for label, reason in (("skipped", report.skipped), ("import not checked", report.not_imported)):
            if reason:
                output.note(label, f"{report.path.name}: {reason}")
    _print_report(args, output, reports, failures)
    for failure in failures:
        output.error(failure.error)
    if failures:
        raise SystemExit(max(failure.error.exit_code for failure in failures))
    if all(report.skipped for report in reports):
        named = ", ".join(map(str, args.paths))
        raise NothingToDoError(f"nothing to audit: {named}", "name a wheel that uses the runtime, or a library")
    if not args.exit_zero and any(report.failing(strict=settings.strict) for report in reports):
        raise SystemExit(_FOUND)


def _read_options(args: argparse.Namespace) -> Settings:
    """Return the project's settings, as the options change them."""
    narrowed = project_settings(Path()).narrowed(_split_ids(args.select), _split_ids(args.ignore), strict=args.strict)
    return narrowed.checked(RULES, "--select, --ignore")._replace(load=args.load, imports=args.imports)


def _split_ids(options: list[str]) -> tuple[str, ...]:
    return tuple(word.strip() for option in options for word in option.split(","))


def _audit_all(paths: Sequence[Path], settings: Settings) -> tuple[list[Report], list[Failure]]:
    """Audit one after the other; if one cannot be audited, go on with the next."""
    reports, failures = [], []
    for path in paths:
        try:
            reports.append(audit(path, settings))
        except TvmFfiBuildError as error:  # noqa: PERF203  (an audit takes far longer)
            failures.append(Failure(path, error))
    return check_pairs(reports, settings), failures


def _print_report(args: argparse.Namespace, output: Output, reports: list[Report], failures: list[Failure]) -> None:
    """Write the report to standard output, or to a file.

    Raises:
        OutputError: The file cannot be written.

    """
    path: Path | None = args.output_file
    screen = output.answer_screen if path is None else PLAIN
    if args.statistics:
        text = as_statistics(reports, screen)
    elif args.format == _TEXT:
        text = as_text(reports, screen, verbose=args.verbosity > 0, failed=len(failures))
    else:
        text = _FORMATS[args.format](reports, failures)
    if path is None:
        (output.answer_commands if args.format == _GITHUB else output.answer)(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
