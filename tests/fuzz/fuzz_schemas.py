"""Type schemas and snapshots of a registry: they are refused, or whatever is made of them is Python.

The first byte says what the rest is: a type schema, or a snapshot. For a snapshot there are files with a block for each
thing that it names; since these are in order, none may come out as no Python.
"""

from __future__ import annotations

import ast
import builtins
import json
from pathlib import Path
from typing import TYPE_CHECKING

from json_mutator import changed

from tvm_ffi_build.errors import StubError
from tvm_ffi_build.stubgen.files.python_names import is_plain_name
from tvm_ffi_build.stubgen.fill.imports import NamesInFile, python_path
from tvm_ffi_build.stubgen.generate import generate
from tvm_ffi_build.stubgen.new_package.packages import Init
from tvm_ffi_build.stubgen.registry.schema import SchemaError, Types, parse_schema
from tvm_ffi_build.stubgen.registry.snapshot import read_snapshot

if TYPE_CHECKING:
    from tvm_ffi_build.stubgen.registry.schema import Schema
    from tvm_ffi_build.stubgen.registry.snapshot import Snapshot

__all__ = ["changed", "one"]

BLOCK = "{indent}# tvm-ffi-stubgen(begin): {kind}\n{indent}# tvm-ffi-stubgen(end)\n"
# More of a kind in one file tells nothing new.
MOST = 3


def one(data: bytes, _: Path) -> None:
    try:
        text = data[1:].decode("utf-8")
    except UnicodeDecodeError:
        return
    if data[:1] == b"\0":
        try:
            schema = parse_schema(text)
        except SchemaError:
            return
        assert parse_schema(json.loads(text)) == schema
        for taken in (False, True):
            require_expression(schema, taken=taken)
    else:
        try:
            snapshot = read_snapshot(text, "a snapshot")
        except StubError:
            return
        assert read_snapshot(snapshot.text, "a snapshot") == snapshot
        require_python(snapshot)


def require_expression(schema: Schema, *, taken: bool) -> None:
    names = NamesInFile(taken=frozenset(), provided={}, class_of=python_path)
    annotation = Types().annotation(schema, taken=taken)
    written = names.text(annotation)
    section = "\n".join(names.section(" ", future=False, checking=None))
    used = {node.id for node in ast.walk(ast.parse(written, mode="eval")) if isinstance(node, ast.Name)}
    bound = {item.bound for item in names.for_checkers} | {"SupportsDLPack"} & set(section.replace("(", " ").split())
    # Without a module it is a class of the file itself.
    own = {part.name for part in annotation if not isinstance(part, str) and part.type_key == part.name}
    assert used <= bound | own | set(dir(builtins)), used
    ast.parse(section)
    assert names.text(annotation) == written


def require_python(snapshot: Snapshot) -> None:
    for texts, init in begun(snapshot):
        try:
            filled = generate(texts, snapshot, init=init).texts
        except StubError as error:
            assert "would not parse" not in str(error), error  # noqa: PT017
            continue
        for path, text in filled.items():
            ast.parse(text.encode(), str(path))
        assert generate(filled, snapshot, init=init).texts == filled


def begun(snapshot: Snapshot) -> list[tuple[dict[Path, str], Init | None]]:
    """Return files to fill: one with a block for whatever is registered, one a prefix, and none."""
    prefixes = sorted(
        {
            prefix
            for name in (*snapshot.functions, *snapshot.types)
            if (prefix := name.rpartition(".")[0]) and all(map(is_plain_name, prefix.split(".")))
        }
    )[:MOST]
    keys = [key for key in snapshot.types if all(map(is_plain_name, key.split(".")))][:MOST]
    targets = [target for name in snapshot.libraries if is_plain_name(target := name[3:].partition(".")[0])][:MOST]
    text = BLOCK.format(indent="", kind="import-section")
    for prefix in prefixes:
        text += BLOCK.format(indent="", kind=f"global/{prefix}")
    for number, key in enumerate(keys):
        text += f"class C{number}:\n{BLOCK.format(indent='    ', kind=f'object/{key}')}"
    for target in targets:
        text += BLOCK.format(indent="", kind=f"library/{target}")
    asks = "".join(f"# tvm-ffi-stubgen(prefix): {prefix}\n" for prefix in prefixes[:1])
    files: list[tuple[dict[Path, str], Init | None]] = [
        ({Path("blocks.py"): text}, None),
        ({Path("prefix.py"): asks}, None),
    ]
    return files + [({}, Init(Path("python"), "demo", "demo", prefix)) for prefix in prefixes[:1]]
