"""What all commands share: their common options and the way they end."""

from __future__ import annotations

import os
import re
import sys
from argparse import SUPPRESS, Action, ArgumentParser, HelpFormatter
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import ExitStatus, TvmFfiBuildError, UsageError
from .output import render_error
from .screen import AUTO, COLORS, paint_marks
from .streams import drop_answer, message_screen, prepare_streams, write_answer, write_message
from .suggest import find_nearest, suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from .screen import ColorChoice

__all__ = [
    "Parser",
    "add_output_options",
    "add_version",
    "end_on_signals",
    "end_with_error",
    "help_formatter",
    "raise_failures",
    "run_command",
]


_DIGITS = 5
# Not compiled here: every build imports this module, and few commands are mistyped.
_CHOICE = r"argument (?P<name>.+?): invalid choice: '(?P<word>[^']*)' \(choose from (?P<choices>.*)\)"
_UNKNOWN = r"unrecognized arguments: (?P<words>.*)"


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


class _ShowVersions(Action):
    """``--version``, whose answer takes a moment to find out."""

    def __init__(self, option_strings: Sequence[str], dest: str, describe: Callable[[], str], help: str) -> None:  # noqa: A002  (argparse's name)
        super().__init__(option_strings, dest, nargs=0, default=SUPPRESS, help=help)
        self.describe = describe

    def __call__(self, parser: ArgumentParser, *_: object, **__: object) -> None:
        write_answer(self.describe())
        parser.exit()


def add_version(parser: ArgumentParser, describe: Callable[[], str], *, short_only: bool = False) -> None:
    """Give a parser ``-V`` and ``--version``, which print versions."""
    options = ["-V"] if short_only else ["-V", "--version"]
    parser.add_argument(*options, action=_ShowVersions, describe=describe, help="print versions and exit")


class Parser(ArgumentParser):
    """A parser that prints help like everything else, and wrong usage like other errors.

    Attributes:
        synonyms: Words that people try, and the values that they mean.

    """

    synonyms: Mapping[str, str] = {}

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

    def error(self, message: str) -> NoReturn:
        """End the process with the error, and with the exit status of wrong usage."""
        end_with_error(self._explain_usage(message))

    def _explain_usage(self, message: str) -> UsageError:
        every = f"run: {self.prog} --help"
        choice, unknown = re.fullmatch(_CHOICE, message), re.fullmatch(_UNKNOWN, message)
        if choice:
            # Python 3.12 stopped to quote them.
            known = re.findall(r"[^\s',]+", choice["choices"])
            nearest = find_nearest(choice["word"], [*known, *self.synonyms])
            nearest = self.synonyms.get(nearest, nearest)
            remedy = f"did you mean {nearest}?" if nearest in known else f"choose from {', '.join(known)}"
            # The name of a positional argument is in capitals.
            name = choice["name"]
            what = f"unknown value for {name}" if name.startswith("-") else f"unknown {name.lower()}"
            return UsageError(f"{what}: {choice['word']}", remedy)
        if unknown:
            options = re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", self.format_help())
            first = unknown["words"].split()[0].partition("=")[0]
            remedy = suggest(first, options) if first.startswith("-") else ""
            return UsageError(f"unknown argument: {unknown['words']}", remedy or every)
        return UsageError(f"wrong usage: {message}", every)


def add_output_options(parser: ArgumentParser) -> None:
    """Give a parser ``-v``, ``-q`` and ``--color``; their defaults are left to an outer parser."""
    group = parser.add_argument_group("output")
    exclusive = group.add_mutually_exclusive_group()
    for option, name, level, meaning in (
        ("-v", "--verbose", 1, "print more on standard error"),
        ("-q", "--quiet", -1, "print nothing on standard error but errors"),
    ):
        exclusive.add_argument(
            option, name, dest="verbosity", action="store_const", const=level, default=SUPPRESS, help=meaning
        )
    group.add_argument(
        "--color",
        choices=COLORS,
        default=SUPPRESS,
        help="when to print colours (default: auto, which follows NO_COLOR and FORCE_COLOR, else the terminal)",
    )


def end_with_error(error: TvmFfiBuildError, *, program: str = "", color: ColorChoice = AUTO) -> NoReturn:
    """End the process with the error's lines and exit status.

    Args:
        error: The error.
        program: A name to print before it, for what others run (:func:`.output.render_error`).
        color: What ``--color`` asks for.

    """
    write_message(render_error(error, message_screen(color), program), paint=paint_marks)
    raise SystemExit(error.exit_code)


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


def run_command(command: Callable[[], None], *, program: str = "", color: ColorChoice = AUTO) -> None:
    """Run a command; turn the errors a user can meet into an error, a hint and an exit status.

    The exit statuses are those of :class:`~tvm_ffi_build.errors.ExitStatus`.
    ``program`` and ``color`` are those of :func:`end_with_error`.
    """
    prepare_streams()
    try:
        command()
    except TvmFfiBuildError as error:
        end_with_error(error, program=program, color=color)
    except KeyboardInterrupt:
        write_message("interrupted\n")
        raise SystemExit(ExitStatus.INTERRUPTED) from None
    except BrokenPipeError:
        drop_answer()
        raise SystemExit(ExitStatus.PIPE_CLOSED) from None


def end_on_signals() -> None:
    """When told to end, as CI does when it cancels, end by an exception, so that unfinished work is removed.

    The exit status is then 143 or 129.
    """
    import signal  # noqa: PLC0415  (the path queries leave nothing unfinished and are to start fast)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has but one of them
            signal.signal(getattr(signal, name), _terminate)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise SystemExit(128 + number)
