r"""The only module that writes to standard output and standard error.

Names of files, of registered functions and of members, and what programs print, come from others. What they hold must
not act on the terminal or the CI log that shows it. Everything is therefore escaped here, also what was escaped before.
"""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any

from ..errors import OutputError
from .screen import AUTO, read_screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from .screen import ColorChoice, Screen

__all__ = [
    "answer_screen",
    "drop_answer",
    "escape_controls",
    "json_text",
    "message_screen",
    "prepare_streams",
    "terminal_shows_messages",
    "write_answer",
    "write_message",
]

# Both patterns are compiled when something is printed, since every build imports this module.
#
# What terminals obey: C0 (without tab and line feed) and C1 of ECMA-48, and Unicode's controls of direction, which hide
# the order of what is shown (CVE-2021-42574). U+2028 and U+2029 begin lines for some readers of logs. Lone surrogates
# are bytes of a file name that are not valid in its encoding; no encoding has them.
_CONTROLS = "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
# What the log's reader obeys: GitHub Actions "::error::" at the start of a line, behind whitespace and what it does not
# show, and "##[error]" anywhere in it (ActionCommand.cs of actions/runner); Azure Pipelines "##vso[" anywhere.
_INVISIBLE = "\u00ad\u200b-\u200d\u2060-\u2064\ufeff"
_COMMANDS = rf"(?m)(?:^((?:[^\S\n]|[{_INVISIBLE}])*)(:)(?=:)|(#)(?=#(?:\[|vso\[)))"


def escape_controls(text: str, *, commands: bool = False) -> str:
    r"""Return a text of several lines with escapes for what a terminal or the reader of a CI log would obey.

    Args:
        text: What is to be shown.
        commands: Keep workflow commands, because this package wrote them.

    >>> escape_controls("a\x1b[2J\u202eb\n  ::error::c")
    'a\\x1b[2J\\u202eb\n  \\x3a:error::c'

    """
    text = re.sub(_CONTROLS, lambda found: ascii(found[0])[1:-1], text)
    return text if commands else re.sub(_COMMANDS, _escape_command, text)


def _escape_command(found: re.Match[str]) -> str:
    return f"{found[1] or ''}\\x{ord(found[2] or found[3]):02x}"


def json_text(value: Any, *, indent: int = 2) -> str:
    r"""Return JSON as a text that :func:`escape_controls` leaves as it is.

    >>> json_text(["##[error]"])
    '[\n  "\\u0023#[error]"\n]\n'
    """
    import json  # noqa: PLC0415  (the path queries are to start fast)

    # Only strings can hold a "#", and there it may be written like this.
    return re.sub("#(?=#)", r"\\u0023", json.dumps(value, indent=indent)) + "\n"


def write_answer(text: str, *, commands: bool = False, paint: Callable[[str], str] = str) -> None:
    """Write to standard output.

    Args:
        text: What to write.
        commands: As in :func:`escape_controls`.
        paint: Is given the escaped text and may add colours.

    Raises:
        OutputError: It cannot be written there.
        BrokenPipeError: The reader has left.

    """
    if sys.stdout is None:  # closed by the process that started this one
        return
    try:
        sys.stdout.write(paint(escape_controls(text, commands=commands)))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_answer()
        raise OutputError(f"standard output cannot be written: {error.strerror}") from None


def write_message(text: str, *, paint: Callable[[str], str] = str) -> None:
    """Write to standard error; where that is not possible, go on, because the exit status still tells the outcome.

    Args:
        text: What to write.
        paint: Is given the escaped text and may add colours.

    """
    if sys.stderr is None:  # closed by the process that started this one
        return
    try:
        sys.stderr.write(paint(escape_controls(text)))
        sys.stderr.flush()
    except (OSError, ValueError):  # full, closed, or its reader has left
        # Python flushes it once more at exit, and ends with status 120 if that fails (Py_FinalizeEx in its manual).
        sys.stderr = None


def drop_answer() -> None:
    """Write nothing more to standard output.

    Python flushes it once more at exit; without this it would print a traceback there ("Note on SIGPIPE" in the manual
    of the module signal).
    """
    sys.stdout = None


def prepare_streams() -> None:
    """Let standard output take letters that its encoding lacks: they are no reason to lose the answer."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def answer_screen(color: ColorChoice = AUTO) -> Screen:
    """Return how text is shown on standard output."""
    return read_screen(sys.stdout, color)


def message_screen(color: ColorChoice = AUTO) -> Screen:
    """Return how text is shown on standard error."""
    return read_screen(sys.stderr, color)


def terminal_shows_messages() -> bool:
    """Return whether standard error is a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # closed
        return False
