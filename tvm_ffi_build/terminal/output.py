"""Where commands print: steps on standard error, the answer on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .streams import json_text, write_answer, write_message

if TYPE_CHECKING:
    from ..errors import TvmFfiBuildError

__all__ = ["OWN_ERROR", "Output", "error_line", "one_line"]

# A regular expression for what error_line writes, for commands that run other commands of this package.
OWN_ERROR = r"tvm-ffi-(build|config): error: (?P<text>.*)"


class Output:
    """Where a command tells what it does: standard error, so that standard output holds the answer alone.

    Attributes:
        verbosity: -1 errors only, 0 steps and warnings, 1 everything.

    """

    def __init__(self, verbosity: int = 0) -> None:
        self.verbosity = verbosity

    def answer(self, text: str) -> None:
        """Write the answer, on standard output.

        Raises:
            OutputError: It cannot be written there.

        """
        write_answer(text)

    def answer_json(self, value: Any) -> None:
        """Write the answer as JSON, on standard output.

        Raises:
            OutputError: It cannot be written there.

        """
        write_answer(json_text(value))

    def answer_commands(self, text: str) -> None:
        """Write workflow commands of GitHub Actions, whose properties and messages are escaped, on standard output.

        Raises:
            OutputError: It cannot be written there.

        """
        write_answer(text, commands=True)

    def step(self, text: str) -> None:
        """Say what is being done now."""
        if self.verbosity >= 0:
            write_message(f"{text}\n")

    def detail(self, text: str) -> None:
        """Say what only a curious user wants to know (``-v``)."""
        if self.verbosity > 0:
            write_message(f"{text}\n")


def error_line(program: str, error: TvmFfiBuildError | str) -> str:
    """Return the line that a command prints for an error."""
    return f"{program}: error: {one_line(str(error))}\n"


def one_line(text: str) -> str:
    r"""Return a text with escapes for what is not printed: a stranger may give things names that terminals obey.

    >>> one_line("größe\n\x1b[2J")
    'größe\\n\\x1b[2J'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
