"""The JSON schema of ``[tool.tvm-ffi-build]``: published, up to date, and of one opinion with the reader."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import re
import sys
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest
import schemas
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from support.project import ROOT, source_files

from tvm_ffi_build.errors import ProjectError
from tvm_ffi_build.pyproject.settings_schema import get_schema
from tvm_ffi_build.pyproject.tables import TABLES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = Draft7Validator(get_schema())
DATE = dt.date(1979, 5, 27)
STRINGS: list[Any] = [[], ["a"], ["a", "b"]]
NO_STRINGS: list[Any] = ["a", 1, True, {}, [1], ["a", 1], [["a"]], DATE]
# Values that are valid, and values that are not, by the name of a kind.
VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "a string": (["", "a", "!=0.1.17"], [1, 0.5, True, [], ["a"], {}, DATE]),
    "a list of strings": (STRINGS, NO_STRINGS),
    "a table of lists of strings": (
        [{}, *({"*.h": one} for one in STRINGS)],
        [[], "a", 1, DATE, *({"*.h": one} for one in NO_STRINGS)],
    ),
    "a number from 0 to 1": ([0, 1, 0.0, 0.5, 1.0], [-1, 2, 1.5, -0.1, float("inf"), True, False, "0.5", [], {}, DATE]),
    'a list of CUDA architectures such as "9.0a" or "12.0+PTX"': (
        [[], ["8.0"], ["8.0", "9.0a", "10.0f", "12.0+PTX"], "", "8.0", "8.0 9.0a;12.0+PTX", " 8.0; "],
        ["a", "80", "8.0,9.0", "8.0+ptx", 8.0, True, {}, [8.0], ["80"], ["Hopper"], ["8.0 9.0"], [""], DATE],
    ),
    "true or false": ([True, False], [0, 1, 0.0, "true", "", [], {}, DATE]),
}
CASES = [
    pytest.param(table.name, key.name, value, valid, id=f"{table.name}.{key.name}={value}")
    for table in TABLES
    for key in table.keys
    for valid, values in zip((True, False), VALUES[key.kind.name])
    for value in values
]


def as_toml(value: Any) -> str:
    """Return a value as inline TOML. Strings have to be printable ASCII, which JSON writes in the same way."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(key)} = {as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)  # JSON would write Infinity
    return value.isoformat() if isinstance(value, dt.date) else json.dumps(value)


def reader_accepts(settings: Any, directory: Path) -> bool:
    """Write settings into a ``pyproject.toml``, and return whether all tables can be read from it."""
    (directory / "pyproject.toml").write_text(f"[tool]\ntvm-ffi-build = {as_toml(settings)}\n", encoding="utf-8")
    try:
        for table in TABLES:
            table.read(directory)
    except ProjectError:
        return False
    return True


@pytest.mark.parametrize(("table", "key", "value", "valid"), CASES)
def test_the_schema_and_the_reader_know_valid_values(
    table: str, key: str, value: Any, valid: bool, tmp_path: Path
) -> None:
    settings = {table: {key: value}}
    assert SCHEMA.is_valid(settings) is valid
    assert reader_accepts(settings, tmp_path) is valid


@pytest.mark.parametrize(
    "settings", [1, "a", [], {"nonsense": {}}, {"repair": 1}, {"repair": []}, {"repair": {"nonsense": 1}}]
)
def test_the_schema_and_the_reader_reject_unknown_keys_and_what_is_not_a_table(settings: Any, tmp_path: Path) -> None:
    assert not SCHEMA.is_valid(settings)
    assert not reader_accepts(settings, tmp_path)


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=5)
# Without NaN, which JSON does not have: the reader rejects it, but no bound of a schema does.
SCALARS = TEXT | st.booleans() | st.integers(-2, 2) | st.floats(-1, 2) | st.dates()
ANYTHING = st.recursive(SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXT, part, max_size=2))
VALID = {kind: st.sampled_from(good) for kind, (good, _) in VALUES.items()}
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        table.name: st.fixed_dictionaries(
            {}, optional={key.name: VALID[key.kind.name] | ANYTHING for key in table.keys}
        )
        for table in TABLES
    },
)


@given(SETTINGS | ANYTHING)
def test_the_schema_accepts_what_the_reader_accepts(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]
) -> None:
    directory = tmp_path_factory.getbasetemp()
    assert SCHEMA.is_valid(settings) is reader_accepts(settings, directory)


def shown_tables() -> dict[str, str]:
    """Return the TOML of this package's tables in pages, templates and examples, by the file that shows it."""
    found = {}
    for path in source_files():
        name = path.relative_to(ROOT).as_posix()
        if re.match(r"(docs|templates|examples)/|[A-Z]+\.md", name) and path.suffix in {".md", ".jinja", ".toml"}:
            text = path.read_text(encoding="utf-8")
            tables = re.findall(r"^\[tool\.tvm-ffi-build\b.*\n(?:(?!```|\{%).*\n)*", text, re.MULTILINE)
            found.update({f"{name}-{number}": table for number, table in enumerate(tables)})
    return found


SHOWN = shown_tables()


@pytest.mark.parametrize("name", SHOWN)
def test_the_schema_accepts_the_settings_that_pages_and_templates_show(name: str) -> None:
    SCHEMA.validate(tomllib.loads(SHOWN[name])["tool"]["tvm-ffi-build"])


def test_the_settings_of_pages_and_templates_are_found() -> None:
    names = {name.partition("-")[0].partition("/")[0] for name in SHOWN}
    assert {"docs", "templates"} <= names


def test_every_default_is_valid_and_changing_a_schema_changes_no_default() -> None:
    schema = get_schema()
    SCHEMA.validate({table.name: {key.name: key.default for key in table.keys} for table in TABLES})
    schema["properties"]["audit"]["properties"]["select"]["default"].append("R")
    assert get_schema()["properties"]["audit"]["properties"]["select"]["default"] == []


def test_the_committed_schema_is_up_to_date() -> None:
    path = schemas.FOLDER / f"{schemas.SETTINGS}.json"
    assert path.read_text(encoding="utf-8") == schemas.settings_text(), "run: python docs/schemas.py"


@pytest.mark.parametrize("takes_hyphens", [True, False])
def test_validate_pyproject_finds_the_schema_on_every_python(
    monkeypatch: pytest.MonkeyPatch, takes_hyphens: bool
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    hatch_build = importlib.import_module("hatch_build")
    monkeypatch.setattr(hatch_build, "PIP_TAKES_HYPHENS", takes_hyphens)
    metadata: dict[str, dict[str, dict[str, str]]] = {}
    hatch_build.EntryPoints(str(ROOT), {}).update(metadata)
    group = "validate_pyproject.tool_schema"
    ((name, value),) = metadata["entry-points"][group].items()
    schema = EntryPoint(name, value, group).load()(name)
    assert schema == get_schema()
    # It refuses schemas without an id, and those of other drafts.
    assert schema["$id"]
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_there_is_no_schema_for_other_tools() -> None:
    with pytest.raises(ValueError, match=r"no schema for \[tool\.ruff\]"):
        get_schema("ruff")
