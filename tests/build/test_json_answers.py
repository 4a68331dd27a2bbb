"""The JSON output of commands and the build record in a wheel match the schemas of the manual, which are strict."""

from __future__ import annotations

import copy
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import schemas
from jsonschema import Draft202012Validator
from support.commands import run_command
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.host.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def answer_of(*arguments: str | Path) -> Any:
    """Return what a command prints, whatever its exit code."""
    return json.loads(run_command(*arguments).stdout)


def check(name: str, answer: Any) -> None:
    """Check an answer, and that its schema rejects a missing, renamed or mistyped key unless the key is optional."""
    schema = schemas.read_schema(name)
    validator = Draft202012Validator(schema)
    validator.validate(answer)
    for changed in spoiled(answer, schema):
        assert not validator.is_valid(changed), changed


def spoiled(answer: Any, schema: dict[str, Any]) -> Iterator[Any]:
    """Yield copies with one key missing, misspelled or a float; of each list, only the first object is changed."""
    for *parents, key in places(answer, schema):
        for missing, added in ((key, None), (key, f"{key}_"), (None, key)):
            changed = copy.deepcopy(answer)
            parent = changed
            for step in parents:
                parent = parent[step]
            value = parent.pop(missing) if missing else parent[key]
            if added:
                parent[added] = "1.5" if isinstance(value, float) else 1.5
            yield changed


def places(answer: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the ways to keys that have to be there."""
    for key in schema.get("required", ()):
        yield (key,)
    for key, below in schema.get("properties", {}).items():
        for choice in below.get("anyOf", [below]):
            if isinstance(answer.get(key), list) and answer[key] and "properties" in choice.get("items", {}):
                yield from ((key, 0, *rest) for rest in places(answer[key][0], choice["items"]))
            if isinstance(answer.get(key), dict) and isinstance(choice.get("additionalProperties"), dict):
                for name in list(answer[key])[:1]:
                    below_it = choice["additionalProperties"]
                    yield from ((key, name, *rest) for rest in places(answer[key][name], below_it))


@pytest.fixture
def wheels(example_wheel: Path, make_wheel: Callable[..., Path], tmp_path: Path) -> list[Path]:
    """Return a wheel of an extension, one with what should not be in it, a pure one, and a damaged one."""
    with zipfile.ZipFile(example_wheel) as archive:
        library = archive.read("my_ffi_extension/libmy_ffi_extension.so")
    files = {"demo/__init__.py": b"", "demo/libdemo.so": library, "demo/left.o": library}
    bad = make_wheel(files, tag="cp312-cp312-linux_x86_64", folder=tmp_path / "bad")
    pure = make_wheel(name="pure", tag="py3-none-any")
    damaged = tmp_path / "damaged-1.0-py3-none-linux_x86_64.whl"
    damaged.write_bytes(b"no wheel")
    return [bad, example_wheel, pure, damaged]


def test_audit(wheels: list[Path]) -> None:
    answer = answer_of("audit", "--format", "json", *wheels)
    assert [one["status"] for one in answer["artifacts"]] == ["audited", "audited", "skipped", "failed"]
    check("audit", answer)


def test_repair(wheels: list[Path], tmp_path: Path) -> None:
    answer = answer_of("repair", "--json", "-w", tmp_path / "out", *wheels[1:], wheels[0])
    assert [one["status"] for one in answer["wheels"]] == ["repaired", "skipped", "refused", "failed"]
    check("repair", answer)
    planned = answer_of("repair", "--json", "--dry-run", "-w", tmp_path / "out", wheels[1])
    assert [one["status"] for one in planned["wheels"]] == ["planned"]
    check("repair", planned)
    # As the manual types it: this schema refers to another one beside it.
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(planned), encoding="utf-8")
    run(find_program("check-jsonschema") or "check-jsonschema", "--schemafile", schemas.FOLDER / "repair.json", file)


def test_contract(wheels: list[Path], example_wheel: Path) -> None:
    check("contract", answer_of("contract", "--json", wheels[0]))
    with zipfile.ZipFile(example_wheel) as archive:
        library = archive.extract("my_ffi_extension/libmy_ffi_extension.so", wheels[0].parent)
    check("contract", answer_of("contract", "--json", library))
    tried = answer_of("contract", "--json", example_wheel, "--verify", "0.1.15.post2", "99.0")
    assert {one["result"] for one in tried["artifacts"][0]["observed"].values()} == {"not installed", "works"}
    check("contract", tried)


def test_wheel(tmp_path: Path) -> None:
    project = ROOT / "tests/packages/c_only"
    answer = answer_of("wheel", project, "-w", tmp_path, "--no-isolation", "--json")
    assert [(one["platform"], one["error"]) for one in answer["wheels"]] == [("native", None)]
    check("wheel", answer)
    failed = answer_of(
        "wheel", project, "-w", tmp_path, "--no-isolation", "--json", "-C", "cmake.args=--no-such-option"
    )
    assert [one["path"] for one in failed["wheels"]] == [None]
    check("wheel", failed)


def test_doctor() -> None:
    check("doctor", answer_of("doctor", "--json"))


def test_config() -> None:
    check("config", answer_of("config", "--json"))


def test_stubgen(zoo: Path) -> None:
    (library,) = (zoo / "build").glob("lib*.so")
    answer = answer_of("stubgen", "--json", "--dlls", library)
    assert any(functions for functions in answer["libraries"].values())
    check("stubgen", answer)


def test_the_record_in_a_wheel(example_wheel: Path) -> None:
    with zipfile.ZipFile(example_wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("dist-info/tvm_ffi_build.json")]
        check("record", json.loads(archive.read(name)))
