"""Looks for texts in files piece by piece, since a library may be larger than memory.

A pattern that begins with some given bytes is looked for nearly as fast as memory is read; one that begins with
alternatives takes twenty times as long. So texts are looked for by a part that they share.
"""

from __future__ import annotations

import mmap
import os
import re
import sys
from typing import TYPE_CHECKING

from ..host.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from .image import Data

__all__ = ["PIECE", "WHOLE", "divide_part", "find_matches", "find_texts", "release_pages"]

# The one part that is all of a file.
WHOLE = ((0, sys.maxsize),)

# Whole pages, of whatever size.
PIECE = 16 << 20
_PART = 3
_SAMPLE = 1 << 18
# What it costs to read a sample once more: as much as to find something in it so many times.
_READING = 500


def find_matches(
    path: Path, patterns: Sequence[re.Pattern[bytes]], longest: int, parts: Iterable[tuple[int, int]] = WHOLE
) -> Iterator[re.Match[bytes]]:
    """Yield where patterns are found; the places are in bytes from the start of the file.

    A match is good until the next one is asked for. Those of one pattern come in order.

    Args:
        path: The file.
        patterns: What to look for. They may look at what is before a match.
        longest: The most bytes of a match. A longer one may be cut off.
        parts: Where in the file to look: the beginnings and ends of parts, in order.

    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for start, end in parts:
                yield from _search_part(data, patterns, longest, start, min(end, size))


def _search_part(
    data: mmap.mmap, patterns: Sequence[re.Pattern[bytes]], longest: int, start: int, end: int
) -> Iterator[re.Match[bytes]]:
    starts = [start] * len(patterns)
    for first, last in divide_part(data, start, end):
        for number, pattern in enumerate(patterns):
            for match in pattern.finditer(data, max(starts[number], first), min(last + longest, end)):
                if match.start() >= last:
                    break
                starts[number] = match.end()
                yield match


def divide_part(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the beginnings and ends of pieces of a file, each of which leaves memory when the next one is asked for."""
    for first in range(start - start % PIECE, end, PIECE):
        yield max(start, first), min(first + PIECE, end)
        release_pages(data, first, first + PIECE)


def release_pages(data: Data, start: int, end: int) -> None:
    """Let a part of a mapped file leave memory, where the system offers that: not on Windows."""
    first, last = start - start % mmap.PAGESIZE, min(end, len(data))
    if isinstance(data, mmap.mmap) and hasattr(data, "madvise") and first < last:
        data.madvise(mmap.MADV_DONTNEED, first, last - first)


def find_texts(path: Path, texts: Collection[bytes], parts: Sequence[tuple[int, int]] = WHOLE) -> set[bytes]:
    """Return those of some texts, none of which is empty, that a file, or parts of it, contain."""
    sample = _read_sample(path, parts)
    anchors = {_compile_pattern(anchor, some): (anchor, some) for anchor, some in _choose_anchors(sample, set(texts))}
    found: set[bytes] = set()
    for match in find_matches(path, list(anchors), max(map(len, texts), default=1), parts):
        anchor, some = anchors[match.re]
        found.update(text for text in some if _is_text_at(match, match.start() - text.find(anchor), text))
    return found


def _read_sample(path: Path, parts: Sequence[tuple[int, int]]) -> bytes:
    """Return some bytes of a file, from the middle of the largest of some parts."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        ends = [(start, min(end, size)) for start, end in parts]
        start, end = max(ends, key=lambda part: part[1] - part[0], default=(0, 0))
        file.seek((start + end) // 2)
        return file.read(_SAMPLE)


def _choose_anchors(sample: bytes, texts: set[bytes]) -> Iterator[tuple[bytes, set[bytes]]]:
    """Yield parts of texts by which to look for them: such as are rare in the sample, and in many of the texts."""
    while texts:
        parts = {text[at : at + _PART] for text in texts for at in range(max(1, len(text) - _PART + 1))}
        having = {part: {text for text in texts if part in text} for part in sorted(parts)}
        best = min(having, key=lambda part: (sample.count(part) + _READING) / len(having[part]))
        yield best, having[best]
        texts = texts - having[best]


def _compile_pattern(anchor: bytes, texts: Collection[bytes]) -> re.Pattern[bytes]:
    """Return a pattern for a part that texts share, where it is in one of them."""
    whole = []
    for text in sorted(texts):
        before, _, after = text.partition(anchor)
        whole.append(b"(?<=" + re.escape(before + anchor) + b")" + re.escape(after))
    return re.compile(re.escape(anchor) + b"(?=" + b"|".join(whole) + b")")


def _is_text_at(match: re.Match[bytes], start: int, text: bytes) -> bool:
    return start >= 0 and match.string[start : start + len(text)] == text
