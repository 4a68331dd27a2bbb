"""The JSON schema of ``[tool.tvm-ffi-build]``, for editors and for ``validate-pyproject``."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .tables import TABLES

if TYPE_CHECKING:
    from .tables import Key, Table

__all__ = ["get_schema"]

_TOOL = "tvm-ffi-build"


def get_schema(tool_name: str = _TOOL) -> dict[str, Any]:
    """Return the JSON schema of ``[tool.tvm-ffi-build]``; another name is a ValueError."""
    # validate-pyproject calls this with the name of the entry point, and shows the docstring in its help. It requires
    # "$id", and draft 7 in "$schema": https://validate-pyproject.readthedocs.io/en/latest/dev-guide.html
    if tool_name != _TOOL:
        raise ValueError(f"no schema for [tool.{tool_name}]; this package has one for [tool.{_TOOL}]")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:{_TOOL}:pyproject",
        "title": f"[tool.{_TOOL}]",
        "description": "How tvm-ffi-build builds, repairs and audits the wheels of this project.",
        "type": "object",
        "properties": {table.name: _table_schema(table) for table in TABLES},
        "additionalProperties": False,
    }


def _table_schema(table: Table) -> dict[str, Any]:
    return {
        "description": table.meaning,
        "type": "object",
        "properties": {key.name: _key_schema(key) for key in table.keys},
        "additionalProperties": False,
    }


def _key_schema(key: Key) -> dict[str, Any]:
    # A copy, so that a caller who changes it does not change the declaration.
    return deepcopy({"description": key.meaning, **key.kind.schema, "default": key.default})
