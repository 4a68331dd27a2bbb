"""Where commands print: steps on standard error, the answer on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .screen import AUTO, STYLES, paint_marks
from .streams import answer_screen, json_text, message_screen, write_answer, write_message

if TYPE_CHECKING:
    from ..errors import TvmFfiBuildError
    from .screen import ColorChoice, Screen

__all__ = ["HINT", "OWN_ERROR", "Output", "one_line", "render_error"]

# What render_error writes for a program that others run, as a regular expression, and what the hint's line begins with.
OWN_ERROR = r"tvm-ffi-(build|config): error: (?P<text>.*)"
HINT = "hint: "


class Output:
    """Where a command tells what it does: standard error, so that standard output holds the answer alone.

    Attributes:
        verbosity: -1 errors only, 0 steps and warnings, 1 everything.

    """

    def __init__(self, verbosity: int = 0, color: ColorChoice = AUTO) -> None:
        self.verbosity = verbosity
        self.color = color

    @property
    def screen(self) -> Screen:
        """What standard error shows."""
        return message_screen(self.color)

    @property
    def answer_screen(self) -> Screen:
        """What standard output shows."""
        return answer_screen(self.color)

    def answer(self, text: str) -> None:
        """Write the answer, on standard output.

        Raises:
            OutputError: It cannot be written there.

        """
        write_answer(text, paint=paint_marks)

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
            write_message(f"{text}\n", paint=paint_marks)

    def note(self, label: str, text: str) -> None:
        """Print a line with a label before it, such as ``warning: …``, in the colours of the label."""
        if self.verbosity >= 0:
            shown = self.screen.wrap(one_line(text), label=f"{label}: ", style=STYLES.get(label))
            write_message(shown, paint=paint_marks)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.note("warning", text)

    def error(self, error: TvmFfiBuildError) -> None:
        """Print an error that does not end the command."""
        write_message(render_error(error, self.screen), paint=paint_marks)

    def detail(self, text: str) -> None:
        """Print what only ``-v`` shows."""
        if self.verbosity > 0:
            write_message(f"{text}\n", paint=paint_marks)


def render_error(error: TvmFfiBuildError, screen: Screen, program: str = "") -> str:
    """Return the lines that a command prints for an error: what failed, and what to do about it.

    Args:
        error: The error.
        screen: What they are printed on.
        program: The name of a program that others run, which find its errors in a log by it (:data:`OWN_ERROR`).

    """
    texts = [error.what, error.remedy]
    if any("_Z" in text for text in texts):
        from .demangle import demangle  # noqa: PLC0415  (most errors are not about symbols)

        texts = demangle(texts)
    what, remedy = map(one_line, texts)
    label = f"{program}: error: " if program else "error: "
    shown = screen.wrap(what, label=label, style=STYLES["error"])
    return shown + (screen.wrap(remedy, label=HINT, style=STYLES["hint"], hang=len(HINT)) if remedy else "")


def one_line(text: str) -> str:
    r"""Return a text with escapes for what is not printed: a stranger may give things names that terminals obey.

    >>> one_line("größe\n\x1b[2J")
    'größe\\n\\x1b[2J'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
