"""Looks for texts in files piece by piece, since a library may be larger than memory.

A pattern that begins with one byte is looked for as fast as a processor finds that byte, many at a time; one that
begins with alternatives takes twenty times as long. So every text is looked for by a byte that it has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from .image import Section

__all__ = ["contained", "matches"]

_PIECE = 1 << 20


def matches(
    path: Path, pattern: re.Pattern[bytes], longest: int, section: Section | None = None
) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield where a pattern is found, in bytes from the start of the file, and the match.

    Args:
        path: The file.
        pattern: What to look for.
        longest: The most bytes of a match, and of what it looks at before it. A longer match may be cut off.
        section: The part of the file to look in, instead of all.

    """
    start, left = (section.offset, section.size) if section else (0, path.stat().st_size)
    # What is held begins at start; before done it has been looked at, and stays for patterns that look back.
    held, done = b"", 0
    with path.open("rb") as file:
        file.seek(start)
        while True:
            piece = file.read(min(_PIECE, left))
            left = left - len(piece) if piece else 0
            held += piece
            last = len(held) - longest if left else len(held)
            for match in pattern.finditer(held, done):
                if match.start() >= last:
                    break
                done = match.end()
                yield start + match.start(), match
            if not left:
                return
            done = max(done, last)
            kept = max(0, done - longest)
            held, start, done = held[kept:], start + kept, done - kept


def contained(path: Path, texts: Collection[bytes]) -> set[bytes]:
    """Return those of some texts that a file contains."""
    anchor, pattern = _any_of(texts)
    found: set[bytes] = set()
    for _, match in matches(path, pattern, max(map(len, texts), default=1)):
        at, held = match.start(), match.string
        found.update(text for text in texts if held.startswith(text, max(0, at - text.find(anchor))))
    return found


def _any_of(texts: Collection[bytes]) -> tuple[bytes, re.Pattern[bytes]]:
    """Return a byte that all texts have, if there is one, and a pattern for it within any of them."""
    shared = set.intersection(*map(set, texts)) if texts else set()
    # Machine code is said to have the last letters of the alphabet less often than the first.
    anchor = bytes([max(shared)]) if shared else b""
    around = []
    for text in sorted(texts):
        before, _, after = text.partition(anchor) if anchor else (b"", b"", text)
        around.append((b"(?<=" + re.escape(before + anchor) + b")" if anchor else b"") + re.escape(after))
    return anchor, re.compile(re.escape(anchor) + b"(?=" + b"|".join(around) + b")")
