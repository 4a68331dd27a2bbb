"""Directives in Python files: a file is refused, or filled so that it parses, is stable, and keeps its own lines.

The input is up to three files of a package, separated by zero bytes, which no Python file contains. A fourth part is a
prefix to create a package for.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import warnings
from typing import TYPE_CHECKING

from line_mutator import changed

from tvm_ffi_build.errors import StubError
from tvm_ffi_build.stubgen.files.write import read_all, write_all
from tvm_ffi_build.stubgen.generate import generate
from tvm_ffi_build.stubgen.new_package.packages import Init
from tvm_ffi_build.stubgen.registry.snapshot import read_snapshot

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["changed", "one"]

NAMES = ("demo/_ffi_api.py", "demo/__init__.py", "demo/more.pyi")
MARK = "# tvm-ffi-stubgen("
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


def schema(*params: str) -> str:
    types = [{"type": name} for name in params]
    return json.dumps({"type": "ffi.Function", "named_args": {"return": types[:1], "params": types}})


def member(name: str, kind: str, **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, "doc": "Größe.\n\n# tvm-ffi-stubgen(end)\n", **more}


PAIR = {
    "parent": "ffi.Object",
    "python": None,
    "init": True,
    "fields": [
        member("first", '{"type": "int"}', frozen=False, init=True, kw_only=False, default=None),
        member("second", '{"type": "demo.Pair"}', frozen=True, init=True, kw_only=True, default="'a'"),
    ],
    "methods": [member("swapped", schema("demo.Pair", "ffi.Tensor"), static=False)],
}
OBJECT: dict[str, object] = {"parent": None, "python": "tvm_ffi.Object", "init": False, "fields": [], "methods": []}
FUNCTIONS = ("demo.add", "demo.sub.mul", "demo.Pair", "demo.int", "demo.a-b")
REGISTRY = read_snapshot(
    json.dumps(
        {
            "schema": 1,
            "runtime": "1",
            "functions": {name: member(name, schema("ffi.Tensor", "demo.Pair", "ffi.String")) for name in FUNCTIONS},
            "types": {"ffi.Object": OBJECT, "demo.Pair": PAIR, "demo.sub.Node": {**PAIR, "parent": "demo.Pair"}},
            "libraries": {"libdemo.so": {"run": member("run", schema("demo.sub.Node"))}},
        }
    ),
    "the registry",
)


def one(data: bytes, folder: Path) -> None:
    *_, prefix = parts = [*data.split(b"\0", 3), b"", b"", b""][:4]
    # Packages may be begun anywhere in it.
    folder = folder / "python"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "demo").mkdir(parents=True)
    for name, content in zip(NAMES, parts):
        if content:
            (folder / name).write_bytes(content)
    init = Init(folder, "demo", "demo", prefix.decode("utf-8", "replace")) if prefix else None
    try:
        texts = read_all([folder])
        filled = generate(texts, REGISTRY, init=init).texts
    except StubError as error:
        assert str(error)  # noqa: PT017
        return
    changed = {path: text for path, text in filled.items() if texts.get(path) != text}
    write_all(changed.items())
    for path in changed:
        if path.suffix != ".typed":
            require_python(path)
        require_kept(texts.get(path, ""), path.read_bytes().decode(), init)
    # There is nothing left to do, says the next run.
    texts = read_all([folder])
    again = generate(texts, REGISTRY, init=init).texts
    assert [path for path, text in again.items() if texts.get(path) != text] == []


def require_python(path: Path) -> None:
    with warnings.catch_warnings():
        # The file's own code may be worth one.
        warnings.simplefilter("ignore")
        ast.parse(path.read_bytes(), str(path))


def require_kept(old: str, new: str, init: Init | None) -> None:
    (before, directives), (after, _) = outside(old), outside(new)
    assert "skip-file" not in directives
    # Classes and blocks are begun at the end of a file.
    grows = init is not None or "prefix" in directives
    assert after.startswith(before) if grows else after == before


def outside(text: str) -> tuple[str, set[str]]:
    """Return what is not in a block, and the names of the directives."""
    kept, directives, is_inside = "", set(), False
    for line in LINE.findall(text):
        content = line.lstrip("\ufeff").strip()
        name = content[len(MARK) :].partition(")")[0] if content.startswith(MARK) else ""
        directives.add(name)
        is_inside = is_inside and name != "end"
        kept += "" if is_inside else line
        is_inside = is_inside or name == "begin"
    return kept, directives
