"""What registered docs say: the names of parameters, and a docstring."""

from __future__ import annotations

import inspect
import re

from ..files.directives import MARKER
from ..files.python_names import is_plain_name

__all__ = ["find_parameter_names", "render_docstring"]

_DOXYGEN = re.compile(r"^[ \t]*[\\@]t?param(?:\[[a-z, ]*\])?[ \t]+(\w+)", re.MULTILINE)
_GOOGLE_HEAD = re.compile(r"^([ \t]*)(?:Args|Arguments|Parameters):[ \t]*$", re.MULTILINE)
_GOOGLE_ENTRY = re.compile(r"\*{0,2}(\w+)[ \t]*(?:\([^)]*\))?:")
_NUMPY_HEAD = re.compile(r"^([ \t]*)Parameters[ \t]*\n\1-{3,}[ \t]*$", re.MULTILINE)
_NUMPY_ENTRY = re.compile(r"\*{0,2}(\w+)[ \t]*(?::.*)?$")


def find_parameter_names(doc: str, count: int) -> list[str] | None:
    r"""Return the parameters that docs name, if there are so many; None if not.

    In the manner of Doxygen, Google or NumPy.

    >>> find_parameter_names("Adds.\n\\param x one\n\\param y other", 2)
    ['x', 'y']
    """
    text = inspect.cleandoc(doc)
    for names in (_DOXYGEN.findall(text), _list_entries(text, _GOOGLE_HEAD, _GOOGLE_ENTRY), _list_numpy_entries(text)):
        if len(names) == count and len(set(names)) == count and all(map(is_plain_name, names)) and "self" not in names:
            return names
    return None


def _list_entries(text: str, head: re.Pattern[str], entry: re.Pattern[str]) -> list[str]:
    """Return the names in the section that a head begins: the lines of its least indentation, which is deeper."""
    found = head.search(text)
    if not found:
        return []
    names: list[str] = []
    depth: int | None = None
    for line in text[found.end() :].splitlines()[1:]:
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        if indent <= len(found[1]):
            break
        depth = indent if depth is None else depth
        if indent == depth:
            match = entry.match(line.strip())
            if not match:
                return []
            names.append(match[1])
    return names


def _list_numpy_entries(text: str) -> list[str]:
    """Return the names in a NumPy section, whose entries are as deep as its head."""
    found = _NUMPY_HEAD.search(text)
    if not found:
        return []
    names: list[str] = []
    lines = text[found.end() :].splitlines()[1:]
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if not line.strip() or indent > len(found[1]):
            continue
        if number + 1 < len(lines) and re.fullmatch(r"\s*-{3,}\s*", lines[number + 1]):
            break  # the next section
        match = _NUMPY_ENTRY.match(line.strip())
        if not match:
            break
        names.append(match[1])
    return names


def render_docstring(doc: str, indent: str) -> list[str]:
    """Return the lines of a docstring, none for empty docs.

    >>> render_docstring("Says hi.", "") == ['"' * 3 + "Says hi." + '"' * 3]
    True
    """
    # Line ends of all kinds, and what is no text for Python's parser.
    doc = re.sub(r"\r\n?", "\n", doc)
    text = inspect.cleandoc(re.sub(r"[\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029\ud800-\udfff]", " ", doc)).strip()
    if not text:
        return []
    body = text.rstrip('"')
    # Quotes at the end would end it early.
    text = body.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '\\"' * (len(text) - len(body))
    # Docs that quote a directive are to say it, not to be one, which may end the block that they stand in.
    text = text.replace(MARKER, MARKER.replace("#", "\\x23"))
    first, *rest = [line.rstrip() for line in text.splitlines()]
    if not rest:
        return [f'{indent}"""{first}"""']
    return [f'{indent}"""{first}', *(f"{indent}{line}" if line else "" for line in rest), f'{indent}"""']
