"""Suggest the known word that is nearest to a mistyped one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["find_nearest", "suggest"]


def find_nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like another one, or an empty text if none is.

    >>> find_nearest("biuld", ["build", "clean"])
    'build'
    >>> find_nearest("STUBDIR", ["STUB_DIR", "STUB_PKG"])
    'STUB_DIR'
    """
    from difflib import get_close_matches  # noqa: PLC0415  (of no use to a command that was typed correctly)

    return next(iter(get_close_matches(word, list(known), 1)), "")


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a question with the nearest known word, or an empty text.

    >>> suggest("linux", ["win_amd64"])
    ''
    """
    nearest = find_nearest(word, known)
    return f"did you mean {nearest}?" if nearest else ""
