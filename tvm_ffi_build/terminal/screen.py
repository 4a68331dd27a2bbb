"""How text is shown on a stream: the width of its lines, and whether it has colours."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALWAYS",
    "AUTO",
    "BOLD",
    "COLORS",
    "DIM",
    "NEVER",
    "PLAIN",
    "STYLES",
    "ColorChoice",
    "Screen",
    "Style",
    "paint_marks",
    "read_screen",
]

ColorChoice = Literal["auto", "always", "never"]
AUTO: Final = "auto"
ALWAYS: Final = "always"
NEVER: Final = "never"
COLORS: tuple[ColorChoice, ...] = (AUTO, ALWAYS, NEVER)

# Each style is a mark in the text, which is painted last: what a stranger's name holds is escaped before. Marks are
# noncharacters (Unicode 23.7), which no honest text has.
Style = Literal["\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "\ufdd4", "\ufdd5"]
BOLD: Final = "\ufdd0"
DIM: Final = "\ufdd1"
# By the label that is shown in the style.
STYLES: Mapping[str, Style] = {"error": "\ufdd2", "done": "\ufdd3", "warning": "\ufdd4", "hint": "\ufdd5"}
_END = "\ufdd6"
# Parameters of "select graphic rendition" (ECMA-48, 8.3.117): bold, faint, red, green, yellow, cyan, and the end.
_PARAMETERS = {BOLD: "1", DIM: "2", "\ufdd2": "1;31", "\ufdd3": "1;32", "\ufdd4": "1;33", "\ufdd5": "1;36", _END: "0"}
_SEQUENCES = str.maketrans({mark: f"\x1b[{parameters}m" for mark, parameters in _PARAMETERS.items()})


def paint_marks(text: str) -> str:
    """Return a text with the sequences that a terminal obeys in place of the marks for styles."""
    return text.translate(_SEQUENCES)


class Screen(NamedTuple):
    """What a stream shows.

    Attributes:
        width: Columns, or None where lines are not wrapped: in files and in logs.
        colored: Whether escape sequences for colours are written.

    """

    width: int | None = None
    colored: bool = False

    def paint(self, text: str, style: Style | None) -> str:
        r"""Return a text with the mark of a style, where the stream shows any.

        >>> paint_marks(Screen(colored=True).paint("error", STYLES["error"]))
        '\x1b[1;31merror\x1b[0m'
        """
        return f"{style}{text}{_END}" if self.colored and style and text else text

    def wrap(self, text: str, *, label: str = "", style: Style | None = None, indent: int = 0, hang: int = 2) -> str:
        """Return a text, behind a label, in lines of this width; no word is cut.

        Args:
            text: One line. A word that is longer than a line, such as a path, gets a line of its own.
            label: What the first line starts with. It is shown in the style.
            style: One of those above, or None.
            indent: Columns before every line.
            hang: Columns more before every line but the first.

        >>> print(Screen(24).wrap("libdemo.so was not found", label="error: ", hang=2), end="")
        error: libdemo.so was
          not found

        """
        margin = " " * indent
        lines = [f"{margin}{label}{text}"]
        if self.width is not None:
            import textwrap  # noqa: PLC0415  (a path query that ends well prints one line)

            wrapped = textwrap.wrap(
                text,
                max(self.width, indent + hang + len(label) + 1),
                initial_indent=f"{margin}{label}",
                subsequent_indent=" " * (indent + hang),
                break_long_words=False,
                break_on_hyphens=False,
            )
            lines = wrapped or lines
        lines[0] = f"{margin}{self.paint(label.rstrip(), style)}{lines[0][indent + len(label.rstrip()) :]}"
        return "".join(f"{line.rstrip()}\n" for line in lines)


# A file or a log.
PLAIN: Final = Screen()


def read_screen(
    stream: IO[str] | None, color: ColorChoice = AUTO, environment: Mapping[str, str] = os.environ
) -> Screen:
    """Return what a stream shows.

    An option comes before ``NO_COLOR`` (no-color.org), and that before ``FORCE_COLOR`` (force-color.org).
    """
    is_terminal = stream is not None and not stream.closed and stream.isatty()
    if color != AUTO:
        colored = color == ALWAYS
    elif environment.get("NO_COLOR"):
        colored = False
    elif environment.get("FORCE_COLOR"):
        colored = True
    else:
        colored = is_terminal and environment.get("TERM") != "dumb"
    return Screen(_read_width(stream, environment) if stream is not None and is_terminal else None, colored)


def _read_width(stream: IO[str], environment: Mapping[str, str]) -> int:
    columns = environment.get("COLUMNS", "")
    # More digits than a number of columns has are a mistake, and "²" is a digit that int does not take.
    if columns.isascii() and columns.isdecimal() and len(columns) < 5 and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _DEFAULT_WIDTH
    except (OSError, ValueError):  # not a terminal of the operating system
        return _DEFAULT_WIDTH


_DEFAULT_WIDTH = 80
