"""The JSON schemas of the manual: one for each output in JSON and one for the settings, all closed and described."""

from __future__ import annotations

import argparse
import json
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import schemas
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from support.project import ROOT

from tvm_ffi_build.__main__ import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = sorted(schemas.FOLDER.glob("*.json"))
# The file in a wheel's metadata, which no command prints.
RECORD = "record"
# The pages that show an answer as it is, and whose it is.
SHOWN = {
    "reference/audit": "audit",
    "reference/repair": "repair",
    "reference/contract": "contract",
    "reference/doctor": "doctor",
    "explanation/contract": RECORD,
}


def objects(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the descriptions of objects in a schema, at any depth."""
    if isinstance(part, dict):
        if "properties" in part and part.get("type") == "object":
            yield part
        for value in part.values():
            yield from objects(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_is_a_schema_that_allows_what_it_names_and_says_what_that_means(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator_for(schema).check_schema(schema)
    for one in objects(schema):
        assert one["additionalProperties"] is False, one
        for key, value in one["properties"].items():
            assert value.get("description"), key


def test_there_is_one_for_each_command_that_answers_in_json_and_one_for_settings() -> None:
    answering = set()
    for name, module, _ in COMMANDS:
        parser = argparse.ArgumentParser()
        import_module(module, "tvm_ffi_build").populate_parser(parser)
        if any("--json" in action.option_strings or "json" in (action.choices or ()) for action in parser._actions):
            answering.add(name)
    assert {path.stem for path in FILES} == {*answering, RECORD, schemas.SETTINGS}


def test_the_page_has_every_key_of_every_schema() -> None:
    text = schemas.as_markdown()
    for path in FILES:
        if path.stem == schemas.SETTINGS:  # these are on the page on configuration; see test_tables.py
            continue
        for one in objects(schemas.read_schema(path.stem)):
            for key in one["properties"]:
                assert re.search(rf"^\| `(\S*\.)?{re.escape(key)}` \| .+ \| .+ \|$", text, re.MULTILINE), key


@pytest.mark.parametrize(("page", "name"), SHOWN.items())
def test_the_answers_that_pages_show_are_answers(page: str, name: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    Draft202012Validator(schemas.read_schema(name)).validate(json.loads(shown))
