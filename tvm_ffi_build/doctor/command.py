"""``tvm-ffi-build doctor``: check this machine for what builds need."""

from __future__ import annotations

import shutil
from itertools import chain
from typing import TYPE_CHECKING

from ..errors import ExitStatus
from ..terminal.command import add_output_options
from ..terminal.output import Output, one_line
from .build_tools import check_build_tools, check_compilers, check_extras
from .check import FAIL, OK, WARN
from .installed import check_commands, check_doubles, check_extensions, check_python, check_runtime, check_self

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from .check import Check

__all__ = ["populate_parser"]


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``doctor`` to a parser."""
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    add_output_options(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    checks = []
    for check in _run_checks():
        checks.append(check)
        if not args.json and (check.status != OK or args.verbosity >= 0):
            output.answer(_render_check(check))
    if args.json:
        output.answer_json({"version": 1, "checks": [check._asdict() for check in checks]})
    if any(check.status in {WARN, FAIL} for check in checks):
        raise SystemExit(ExitStatus.FOUND)


def _run_checks() -> Iterator[Check]:
    yield from chain(
        check_python(),
        check_self(),
        check_runtime(),
        check_doubles(),
        check_commands(shutil.which("tvm-ffi-config")),
        check_extensions(),
        check_compilers(),
        check_build_tools(),
        check_extras(),
    )


def _render_check(check: Check) -> str:
    remedy = f"\n{'':24}-> {one_line(check.remedy)}" if check.remedy else ""
    return f"{check.status:<4}  {one_line(check.name):<17} {one_line(check.message)}{remedy}\n"
