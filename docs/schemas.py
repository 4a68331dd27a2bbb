"""The JSON Schemas in ``reference/schemas``, as tables for the manual.

``python docs/schemas.py`` writes the one that is generated from the code: that of ``[tool.tvm-ffi-build]``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_ffi_build.pyproject.settings_schema import get_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER", "SETTINGS", "as_markdown", "read_schema", "settings_text"]

FOLDER = Path(__file__).parent / "reference" / "schemas"
# The schema of settings; all others are of output. The page on configuration has its keys already.
SETTINGS = "pyproject"


def read_schema(name: str) -> dict[str, Any]:
    """Return a schema, with what it refers to in the place of the references."""
    schema = _read(name)
    resolved: dict[str, Any] = _resolved(schema, name)
    return resolved


def as_markdown() -> str:
    """Return a section for each schema of output: what it is about, where it is, and each key."""
    sections = []
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem == SETTINGS:
            continue
        schema = read_schema(path.stem)
        rows = "\n".join(f"| `{key}` | {kind} | {meaning} |" for key, kind, meaning in _rows(schema, ""))
        sections.append(
            f"## `{schema['title']}`\n\n{schema['description']} [The schema](schemas/{path.name}).\n\n"
            f"| key | type | meaning |\n|---|---|---|\n{rows}\n"
        )
    return "\n".join(sections)


def settings_text() -> str:
    """Return the text of the file with the schema of settings."""
    return json.dumps(get_schema(), indent=2) + "\n"


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return schema


def _resolved(part: Any, name: str) -> Any:
    if isinstance(part, list):
        return [_resolved(one, name) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        # "audit.json#/$defs/finding", or one of its own: "#/$defs/finding".
        file, _, path = part["$ref"].partition("#/$defs/")
        other = file.removesuffix(".json") or name
        return _resolved(_read(other)["$defs"][path], other)
    return {key: _resolved(value, name) for key, value in part.items() if key != "$defs"}


def _rows(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    """Yield key, type and meaning of each property, those of the objects below it after it."""
    for key, value in schema.get("properties", {}).items():
        whole = f"{path}.{key}" if path else key
        optional = "" if key in schema["required"] else "; may be missing"
        yield whole, f"{_kind(value)}{optional}", value["description"]
        yield from _below(value, whole)


def _below(value: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    for choice in value.get("anyOf", [value]):
        if "items" in choice:
            yield from _below(choice["items"], f"{path}[]")
        elif isinstance(choice.get("additionalProperties"), dict):
            yield from _below(choice["additionalProperties"], f"{path}.*")
        else:
            yield from _rows(choice, path)


def _kind(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_kind(choice) for choice in value["anyOf"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return ", ".join(f"`{json.dumps(one)}`" for one in value["enum"])
    kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
    if "items" in value:
        return f"array, each {_kind(value['items'])}"
    if isinstance(value.get("additionalProperties"), dict):
        return f"object, each value {_kind(value['additionalProperties'])}"
    return " or ".join(kinds)


if __name__ == "__main__":
    (FOLDER / f"{SETTINGS}.json").write_text(settings_text(), encoding="utf-8")
