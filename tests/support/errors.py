"""Read the errors that commands print."""

from __future__ import annotations

import re

__all__ = ["last_error", "read_error"]

_ERROR = r"(?P<program>tvm-ffi-(?:build|config): )?error: (?P<what>[^\n]+)\n(?:hint: (?P<remedy>[^\n]+)\n)?"


def read_error(text: str, program: str = "") -> str:
    """Return the error, and behind a semicolon its hint, from output that is nothing else."""
    match = re.fullmatch(_ERROR, text)
    assert match, text
    return _join(match, program)


def last_error(text: str, program: str = "") -> str:
    """Return the same from the end of output."""
    match = re.search(rf"^{_ERROR}\Z", text, re.MULTILINE)
    assert match, text
    return _join(match, program)


def _join(match: re.Match[str], program: str) -> str:
    assert (match["program"] or "") == (f"{program}: " if program else "")
    return "; ".join(filter(None, [match["what"], match["remedy"]]))
