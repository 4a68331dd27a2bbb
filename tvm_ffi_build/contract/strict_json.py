"""JSON objects of files that only this project writes."""

from __future__ import annotations

from typing import Any

__all__ = ["parse_object"]


def parse_object(data: bytes) -> dict[str, Any]:
    """Return a JSON object. RFC 8259 leaves open what a name means that is there twice, so it is an error.

    Raises:
        ValueError: It is not JSON, or an object has a name twice.
        TypeError: It is not an object.

    """
    import json  # noqa: PLC0415  (not every build reads such a file)

    found = json.loads(data, object_pairs_hook=_refuse_duplicates)
    if not isinstance(found, dict):
        raise TypeError(found)
    return found


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a name twice")
    return data
