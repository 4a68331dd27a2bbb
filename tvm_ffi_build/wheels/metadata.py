"""Metadata files of wheels: fields and a body, as in mail (RFC 822)."""

from __future__ import annotations

from email.parser import HeaderParser

__all__ = ["Headers"]


class Headers:
    """The fields of a ``METADATA`` or ``WHEEL`` file."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._message = HeaderParser().parsestr(text)

    def first(self, field: str) -> str:
        """Return the value of a field, or nothing."""
        return str(self._message.get(field, "")).strip()

    def all(self, field: str) -> tuple[str, ...]:
        """Return the values of a field that may be there several times."""
        return tuple(str(value).strip() for value in self._message.get_all(field, []))

    def with_all(self, field: str, values: tuple[str, ...]) -> str:
        """Return the text with other values of a field; all else stays as it is."""
        head, blank, body = self._text.partition("\n\n")
        lines = [line for line in head.splitlines() if not line.lower().startswith(f"{field.lower()}:")]
        return "\n".join([*lines, *(f"{field}: {value}" for value in values)]) + (f"{blank}{body}" if blank else "\n")
