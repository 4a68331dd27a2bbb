"""Metadata files of wheels: fields and a body, as in mail (RFC 822)."""

from __future__ import annotations

import re
from email.parser import HeaderParser

__all__ = ["Headers"]

# Licenses stand there in full.
_LONGEST = 1 << 20


class Headers:
    """The fields of a ``METADATA`` or ``WHEEL`` file.

    Raises:
        ValueError: There are more of them than the file of an honest tool has.

    """

    def __init__(self, text: str) -> None:
        # A description may be long, and is nobody's concern here.
        end = re.search(r"(?:^|\n)\r?\n", text)
        self._fields, self._body = (text[: end.end()], text[end.end() :]) if end else (text, "")
        # The parser is slow, and quadratic at worst.
        if len(self._fields) > _LONGEST:
            raise ValueError(len(self._fields))
        self._message = HeaderParser().parsestr(self._fields)

    def first(self, field: str) -> str:
        """Return the value of a field, or nothing."""
        return str(self._message.get(field, "")).strip()

    def all(self, field: str) -> tuple[str, ...]:
        """Return the values of a field that may be there several times."""
        return tuple(str(value).strip() for value in self._message.get_all(field, []))

    def with_all(self, field: str, values: tuple[str, ...]) -> str:
        """Return the text with other values of a field; all else stays as it is."""
        newline = "\r\n" if "\r\n" in self._fields else "\n"
        # A field goes on in lines that begin with a space (RFC 5322, 2.2.3).
        kept = re.sub(rf"^{field}:.*\n?(?:[ \t].*\n?)*", "", self._fields, flags=re.IGNORECASE | re.MULTILINE)
        lines = kept.rstrip("\r\n")
        blank = newline if self._fields.endswith(newline * 2) else ""
        return (
            newline.join([*([lines] if lines else []), *(f"{field}: {value}" for value in values), blank]) + self._body
        )
