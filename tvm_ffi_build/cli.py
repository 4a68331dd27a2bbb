"""What all commands share: their common options and the way they end."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from .errors import TvmFfiBuildError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["Output", "add_verbosity", "fail", "run"]


@dataclass(frozen=True)
class Output:
    """Where a command tells what it does: standard error, so that standard output holds the answer alone.

    Attributes:
        verbosity: -1 errors only, 0 steps and warnings, 1 everything.

    """

    verbosity: int = 0

    def answer(self, text: str) -> None:
        """Write the answer, on standard output."""
        sys.stdout.write(text)

    def step(self, text: str) -> None:
        """Say what is being done now."""
        if self.verbosity >= 0:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def detail(self, text: str) -> None:
        """Say what only a curious user wants to know (``-v``)."""
        if self.verbosity > 0:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Give a parser ``-v`` and ``-q``, which set ``verbosity``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "-v", "--verbose", dest="verbosity", action="store_const", const=1, default=0, help="say more on standard error"
    )
    group.add_argument("-q", "--quiet", dest="verbosity", action="store_const", const=-1, help="say nothing but errors")


def fail(program: str, error: TvmFfiBuildError) -> NoReturn:
    """End the process with the error's line and exit code."""
    sys.stderr.write(f"{program}: error: {error}\n")
    raise SystemExit(error.exit_code)


def run(program: str, command: Callable[[], None]) -> None:
    """Run a command; turn the errors a user can meet into one line and an exit code.

    Exit codes: those of :mod:`tvm_ffi_build.errors`; 130 after Ctrl-C; 141 when the reader of standard output left.
    """
    try:
        command()
        sys.stdout.flush()
    except TvmFfiBuildError as error:
        fail(program, error)
    except KeyboardInterrupt:
        sys.stderr.write(f"{program}: interrupted\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        # Python flushes standard output once more at exit; without this it would print a traceback there.
        sys.stdout = None
        raise SystemExit(141) from None
