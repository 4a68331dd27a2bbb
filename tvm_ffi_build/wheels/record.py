"""RECORD: the hash and the size of each file of a wheel (PEP 376, PEP 427). The only module that knows its rows."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["SIGNATURES", "Row", "encode_digest", "read_rows", "row_of", "write_rows"]

# Of these two RECORD says nothing: they are made from it (PEP 427).
SIGNATURES = ("RECORD.jws", "RECORD.p7s")


class Row(NamedTuple):
    """A row of RECORD.

    Attributes:
        name: The path of the file.
        digest: The name of a hash, ``=`` and its digest; empty for RECORD itself.
        size: In bytes, or empty.

    """

    name: str
    digest: str = ""
    size: str = ""


def row_of(name: str, content: bytes) -> Row:
    """Return the row of a file."""
    return Row(name, f"sha256={encode_digest(hashlib.sha256(content).digest())}", str(len(content)))


def read_rows(text: str) -> Iterator[list[str]]:
    """Yield the rows of a RECORD, which may have any number of fields.

    Raises:
        csv.Error: It is not a table.

    """
    return csv.reader(io.StringIO(text, newline=""), strict=True)


def write_rows(rows: Iterable[Row]) -> bytes:
    """Return the contents of a RECORD."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def encode_digest(digest: bytes) -> str:
    """Return a digest as RECORD spells it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
