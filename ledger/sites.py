"""Where in the runtime's headers code throws: there, every extension gets the header's name and the line number.

Read from the text and not asked of a preprocessor: that sees one branch of each ``#if``, and has its own idea of which
line a call is on that goes over several, the first (gcc) or the last (clang).
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["throw_sites"]

# What is given __FILE__ and __LINE__.
_SINK = "TVMFFIBacktrace"

_COMMENT_OR_LITERAL = re.compile(
    r'//(?:\\\n|[^\n])*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_OPENING = re.compile(r"\s*\(")
_PARENTHESIS = re.compile(r"[()]")
_DEFINE = re.compile(r"[ \t]*#[ \t]*define[ \t]+(\w+)(.*)", re.DOTALL)


def throw_sites(headers: Path) -> dict[str, list[int]]:
    """Return the lines of each header, by its path below the folder ``headers``, that has some."""
    texts = {
        path.relative_to(headers).as_posix(): _without_comments(path.read_text(encoding="utf-8"))
        for path in sorted(headers.rglob("*.h"))
    }
    macros: dict[str, str] = {}
    for text in texts.values():
        for directive in _DIRECTIVE.finditer(text):
            define = _DEFINE.match(directive[0])
            if define:
                # A macro may have another body in each branch.
                macros[define[1]] = macros.get(define[1], "") + define[2]
    call = re.compile(rf"\b(?:{'|'.join(sorted(_leading_to_sink(macros)))})\b")
    found = {name: _lines(_blank(_DIRECTIVE, text), call) for name, text in texts.items()}
    return {name: lines for name, lines in found.items() if lines}


def _leading_to_sink(macros: dict[str, str]) -> set[str]:
    """Return the macros whose expansion calls the sink."""
    found: set[str] = set()
    sought = {_SINK}
    while sought:
        pattern = re.compile(rf"\b(?:{'|'.join(sought)})\b")
        sought = {name for name, body in macros.items() if name not in found and pattern.search(body)}
        found |= sought
    return found


def _lines(text: str, call: re.Pattern[str]) -> list[int]:
    """Return the first and the last line of each call."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    offsets = {offset for match in call.finditer(text) for offset in (match.start(), _end(text, match.end()))}
    return sorted({bisect.bisect_right(starts, offset) for offset in offsets})


def _end(text: str, offset: int) -> int:
    """Return where the parenthesis closes that opens at an offset; the offset before, where none does."""
    depth = 0
    if _OPENING.match(text, offset):
        for match in _PARENTHESIS.finditer(text, offset):
            depth += 1 if match[0] == "(" else -1
            if depth == 0:
                return match.start()
    return offset - 1


def _without_comments(text: str) -> str:
    return _blank(_COMMENT_OR_LITERAL, text)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Return a text of the same lines in which what a pattern matches is blank."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
