"""Names: what Python code can define and import, and the order in which tools sort it."""

from __future__ import annotations

import keyword
import re
from typing import Any

__all__ = ["is_dotted_name", "is_plain_name", "is_special_name", "sort_key"]


def is_plain_name(name: str) -> bool:
    """Return whether Python code can define a name.

    >>> is_plain_name("None"), is_plain_name("match")
    (False, True)
    """
    return name.isidentifier() and not keyword.iskeyword(name)


def is_special_name(name: str) -> bool:
    """Return whether Python gives a name a meaning of its own, in modules and classes.

    >>> is_special_name("__dict__"), is_special_name("__private")
    (True, False)
    """
    return name.startswith("__") and name.endswith("__")


def is_dotted_name(text: str) -> bool:
    """Return whether Python code can import a path: names that it can define, with dots between them."""
    return all(map(is_plain_name, text.split(".")))


def sort_key(name: str) -> tuple[int, tuple[tuple[Any, ...], ...]]:
    """Return a key that sorts names as isort does, and Ruff in ``__all__`` (RUF022).

    Constants come first, then classes, then other names; in each group, numbers count as numbers.

    >>> sorted(["x10", "x9", "Class", "CONSTANT", "C9"], key=sort_key)
    ['C9', 'CONSTANT', 'Class', 'x9', 'x10']
    """
    group = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return group, tuple(_part_key(part) for part in re.findall(r"[0-9]+|[^0-9]", name))


def _part_key(part: str) -> tuple[Any, ...]:
    # Digits that begin with a zero are compared as text, others by their value. All come before other characters.
    if part[0] == "0":
        return 0, part
    return (1, len(part), part) if part.isdecimal() and part.isascii() else (2, part)
