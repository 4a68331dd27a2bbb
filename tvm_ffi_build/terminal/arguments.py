"""Values of options, checked where the command line is read; what is not valid is wrong usage (exit status 2)."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path

__all__ = ["read_command", "read_path", "read_release", "read_seconds"]

_LONGEST_NAME, _LONGEST_PATH = 255, 4096
# A day: more than subprocess can wait for on some systems is an OverflowError.
_LONGEST = 24 * 60 * 60


def read_path(text: str) -> Path:
    """Return a path, whether or not something is there.

    >>> read_path("a/b").name
    'b'

    Raises:
        ArgumentTypeError: No file can have this path, so that questions about it are errors instead of answers.

    """
    # NAME_MAX and PATH_MAX of Linux; before Python 3.14, Path.exists raises an error for longer names.
    if len(os.fsencode(text)) >= _LONGEST_PATH or any(
        len(part) > _LONGEST_NAME for part in os.fsencode(text).split(b"/")
    ):
        raise ArgumentTypeError(f"{text[:40]!r}... is too long for a path")
    return Path(text)


def read_seconds(text: str) -> float:
    """Return a number of seconds.

    >>> read_seconds("2.5")
    2.5

    Raises:
        ArgumentTypeError: It is not a number, or not one of seconds.

    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _LONGEST:  # false for NaN, too
        raise ArgumentTypeError(f"{text[:40]!r} is not a number of seconds from 0 to {_LONGEST}")
    return seconds


def read_release(text: str) -> str:
    """Return a version (PEP 440) in its normal form, or ``all``.

    >>> read_release("0.1.15-2"), read_release("all")
    ('0.1.15.post2', 'all')

    Raises:
        ArgumentTypeError: It is neither.

    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415  (the path queries are to start fast)

    try:
        return text if text == "all" else str(Version(text))
    except (InvalidVersion, ValueError):  # a number of more digits than Python converts
        raise ArgumentTypeError(f"{text[:40]!r} is not a version, such as 0.1.12, or 'all'") from None


def read_command(text: str) -> list[str]:
    """Return the words of a command, split as a shell does.

    >>> read_command("python -c 'import a'")
    ['python', '-c', 'import a']

    Raises:
        ArgumentTypeError: A quotation does not end.

    """
    import shlex  # noqa: PLC0415

    try:
        return shlex.split(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text[:40]!r} is not a command: {str(error).lower()}") from None
