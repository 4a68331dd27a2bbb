"""Takes out what was generated for types that are no longer registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files.directives import parse_document
from ..files.python_source import read_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..files.directives import Block, Document
    from ..registry.snapshot import Snapshot

__all__ = ["remove_gone_types"]


def remove_gone_types(
    document: Document, snapshot: Snapshot, is_managed: Callable[[str], bool], notes: list[str], *, by_hand: bool
) -> Document:
    """Return a file without the blocks of types that are no longer registered, and without generated classes for them.

    Args:
        document: The file.
        snapshot: What is registered.
        is_managed: Whether the file is to have the classes of a prefix, whatever they are.
        notes: Gets a line for each block.
        by_hand: Whether to take a block out of a class that somebody has written to, too.

    """
    while True:
        objects = (block for block in document.blocks if block.kind == "object")
        gone = [block for block in objects if block.parameter not in snapshot.types and is_managed(block.prefix)]
        found = next((part for block in gone if (part := _find_part(block, document, by_hand=by_hand))), None)
        if found is None:
            return document
        first, last, what = found
        notes.append(f"{document.path}:{first}: {what} is taken out: the type is no longer registered")
        lines = document.lines
        while first > 1 and last < len(lines) and not lines[first - 2].strip():
            first -= 1
        document = parse_document("".join([*lines[: first - 1], *lines[last:]]), document.path)


def _find_part(block: Block, document: Document, *, by_hand: bool) -> tuple[int, int, str] | None:
    """Return what to take out for a block, by its first and last line, and what to call it; None to leave it."""
    around = read_source(document).classes.get(block.line)
    if around is not None and around.is_generated:
        return around.first_line, max(around.last_line, block.last_line), f"the class of {block.parameter}"
    return (block.line, block.last_line, f"the block object/{block.parameter}") if by_hand else None
