"""What the Python files of a wheel tell: the words that known breaks ask for, and what they use of ``tvm_ffi``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...wheels.find_words import find_words
from .python_use import MODULE, UnreadPythonError, count_words, find_python_uses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ...wheels.libraries import WheelLibraries
    from .python_use import Use

__all__ = ["PythonFiles", "read_python_files"]

# A file as long as that has more words than are parsed; of longer ones, only the words asked for are looked for.
_LONGEST = 1 << 20
# Parsing takes about a second for each million words.
_MOST_WORDS = 5_000_000
# So many files are named.
_NAMED = 3


class PythonFiles(NamedTuple):
    """What the Python files tell.

    Attributes:
        words: Those of the words asked for that are in a file.
        uses: What the files use of the runtime's module.
        unread: Each file that mentions the module and was not parsed, with the reason.

    """

    words: frozenset[str] = frozenset()
    uses: tuple[Use, ...] = ()
    unread: tuple[str, ...] = ()


def read_python_files(libraries: WheelLibraries, words: Collection[str]) -> PythonFiles:
    """Read the Python files of a wheel, one after the other, so that memory does not grow with their number or size.

    Args:
        libraries: The wheel.
        words: What to look for in the text, comments and strings included.

    Raises:
        WheelError: A file is damaged.

    """
    searched = {word.encode() for word in (*words, MODULE)}
    found: set[bytes] = set()
    uses: list[Use] = []
    unread: list[str] = []
    left = _MOST_WORDS
    for name in libraries.wheel.files:
        if name.endswith(".py"):
            text = _Text()
            in_file = find_words(text.keep(libraries.chunks(name)), searched)
            found |= in_file
            if MODULE.encode() not in in_file:
                continue
            try:
                left = _count_down(left, text.decoded())
                uses += find_python_uses(text.decoded(), name)
            except UnreadPythonError as error:
                unread.append(f"{name}: {error}")
    return PythonFiles(
        frozenset(word for word in words if word.encode() in found), tuple(uses), tuple(_shorten(unread))
    )


def _count_down(left: int, text: str) -> int:
    """Return how many words may still be parsed after a text.

    Raises:
        UnreadPythonError: The text has more.

    """
    words = count_words(text)
    if words > left:
        raise UnreadPythonError("the files before it have too many words")
    return left - words


def _shorten(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _NAMED else [*lines[:_NAMED], f"{len(lines) - _NAMED:,} more files"]


class _Text:
    """The text of a file, unless it is too long to be parsed."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._size = 0

    def keep(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces, and keep them while they are few."""
        for piece in pieces:
            self._size += len(piece)
            self._kept = [*self._kept, piece] if self._size <= _LONGEST else []
            yield piece

    def decoded(self) -> str:
        """Return the text.

        Raises:
            UnreadPythonError: It is too long.

        """
        if self._size > _LONGEST:
            raise UnreadPythonError(f"it is longer than {_LONGEST >> 20} MiB")
        return b"".join(self._kept).decode("utf-8", "replace")
