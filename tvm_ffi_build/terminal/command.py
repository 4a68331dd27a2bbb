"""What all commands share: their common options and the way they end."""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, ArgumentParser, HelpFormatter
from typing import TYPE_CHECKING, Any, NoReturn

from .. import __version__
from ..errors import TvmFfiBuildError
from .output import error_line
from .streams import drop_answer, prepare_streams, write_answer, write_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

__all__ = [
    "Parser",
    "add_verbosity",
    "add_version",
    "end_on_signals",
    "end_with_error",
    "help_formatter",
    "raise_failures",
    "run_command",
]


_DIGITS = 5


class Parser(ArgumentParser):
    """A parser that prints usage, help and errors, which quote arguments, like everything else."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse arguments, but for ``--option=--``, of which Python before 3.13 makes an empty list (gh-59317)."""
        words = list(sys.argv[1:] if args is None else args)
        for word in words:
            if word.startswith("--") and word.endswith("=--"):
                self.error(f"{word.removesuffix('=--')} cannot have the value '--'")
        return super().parse_known_args(words, namespace)

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            (write_answer if file is sys.stdout else write_message)(message)


def help_formatter(prog: str) -> HelpFormatter:
    """Make the formatter of a parser whose start matters.

    argparse makes one for each option that is added, and asks shutil for the width, whose import costs more than the
    parsing.
    """
    columns = os.environ.get("COLUMNS", "")
    try:
        # More digits are not a width, and from 4300 on int refuses them.
        width = int(columns) if columns.isdecimal() and len(columns) <= _DIGITS else os.get_terminal_size().columns
    except OSError:  # no terminal
        width = 80
    return HelpFormatter(prog, width=(width or 80) - 2)


def add_version(parser: ArgumentParser) -> None:
    """Give a parser ``--version``, which prints this package's."""
    parser.add_argument("--version", action="version", version=f"tvm-ffi-build {__version__}")


def add_verbosity(parser: ArgumentParser) -> None:
    """Give a parser ``-v`` and ``-q``, which set ``verbosity``; without them it is left to an outer parser."""
    group = parser.add_mutually_exclusive_group()
    for option, name, level, meaning in (
        ("-v", "--verbose", 1, "say more on standard error"),
        ("-q", "--quiet", -1, "say nothing but errors"),
    ):
        group.add_argument(
            option, name, dest="verbosity", action="store_const", const=level, default=SUPPRESS, help=meaning
        )


def end_with_error(program: str, error: TvmFfiBuildError, *, exit_code: int | None = None) -> NoReturn:
    """End the process with the error's line and exit code, or another one."""
    write_message(error_line(program, error))
    raise SystemExit(error.exit_code if exit_code is None else exit_code)


def raise_failures(
    errors: Sequence[TvmFfiBuildError], tried: int, failure: str, otherwise: type[TvmFfiBuildError]
) -> None:
    """End a command that has tried several things with what went wrong, if something did.

    Args:
        errors: The errors.
        tried: How many things were tried.
        failure: What the errors say together.
        otherwise: The class of the error, and with it the exit status, if the errors have several.

    Raises:
        TvmFfiBuildError: The error itself if one thing was tried, otherwise one of the same class.

    """
    if errors and tried == 1:
        raise errors[0]
    if errors:
        kinds = set(map(type, errors))
        kind = kinds.pop() if len(kinds) == 1 else otherwise
        raise kind(f"{len(errors)} of {tried} {failure}")


def run_command(program: str, command: Callable[[], None]) -> None:
    """Run a command; turn the errors a user can meet into one line and an exit code.

    Exit codes: those of :mod:`tvm_ffi_build.errors`; 130 after Ctrl-C; 141 when the reader of standard output left.
    """
    prepare_streams()
    try:
        command()
    except TvmFfiBuildError as error:
        end_with_error(program, error)
    except KeyboardInterrupt:
        write_message(f"{program}: interrupted\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        drop_answer()
        raise SystemExit(141) from None


def end_on_signals() -> None:
    """When told to end, as CI does when it cancels, end by an exception, so that unfinished work is removed.

    The exit code is then 143 or 129.
    """
    import signal  # noqa: PLC0415  (the path queries leave nothing unfinished and are to start fast)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has but one of them
            signal.signal(getattr(signal, name), _terminate)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise SystemExit(128 + number)
