"""Looks for words in a member of a wheel piece by piece, since it may be larger than memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["find_words"]


def find_words(pieces: Iterable[bytes], words: Collection[bytes]) -> set[bytes]:
    """Return those of the words that a text contains. A word may be cut by the end of a piece.

    >>> sorted(find_words([b"to be o", b"r not"], [b"or", b"to", b"be not"]))
    [b'or', b'to']
    """
    overlap = max(map(len, words), default=1) - 1
    found: set[bytes] = set()
    before = b""
    for piece in pieces:
        window = before + piece
        found.update(word for word in words if word in window)
        before = window[len(window) - min(overlap, len(window)) :]
    return found
