"""The stubs of the zoo and what the runtime itself answers when the zoo is there: the same parameters and types."""

from __future__ import annotations

import ast
import json
import os
import sys
from typing import TYPE_CHECKING

from support.processes import run

if TYPE_CHECKING:
    from pathlib import Path

# Writes, for each prefix, the plainest of stubs: what is registered, its types in the words of the runtime's own class.
ANSWERS = """
import json, keyword, tvm_ffi, zoo.sub.deeper
from tvm_ffi.core import TypeSchema, _lookup_or_register_type_info_from_type_key as info_of

GIVEN = {"Array": "Sequence", "List": "MutableSequence", "Map": "Mapping", "Dict": "MutableMapping"}
TAKEN = {**GIVEN, "List": "Sequence", "Dict": "Mapping"}
stubs = {}

def say(name, *lines):
    stubs.setdefault(name.rpartition(".")[0], []).extend(lines)

def plain(name):
    return name.isidentifier() and not keyword.iskeyword(name)

def text(schema, names):
    return TypeSchema.from_json_obj(schema).repr(lambda origin: names.get(origin, origin.rpartition(".")[2]))

def define(name, metadata, bound=False, skip=0, returns=None):
    types = json.loads(metadata["type_schema"]).get("named_args")
    parameters, result = ["*args: Any"], "Any"
    if types:
        parameters = [f"_{i}: {text(schema, TAKEN)}" for i, schema in enumerate(types["params"][skip:])]
        parameters += ["/"] if parameters or bound else []
        result = text(types["return"][0], GIVEN)
    return f"def {name}({', '.join(['self'] * bound + parameters)}) -> {returns or result}: ..."

keys = [str(key) for key in tvm_ffi.get_global_func("ffi.GetRegisteredTypeKeys")() if str(key).startswith("zoo.")]
for name in tvm_ffi.registry.list_global_func_names():
    if name.startswith("zoo.") and plain(name.split(".")[-1]) and name not in keys:
        say(name, define(name.split(".")[-1], json.loads(tvm_ffi.get_global_func("ffi.GetGlobalFuncMetadata")(name))))
for key in keys:
    info = info_of(key)
    say(key, f"class {key.split('.')[-1]}:")
    for field in info.fields:
        if plain(field.name):
            given = text(json.loads(field.metadata["type_schema"]), GIVEN)
            getter = ["  @property", f"  def {field.name}(self) -> {given}: ..."]
            say(key, *(getter if field.frozen else [f"  {field.name}: {given}"]))
    methods = [(method.name, method) for method in info.methods if plain(method.name)]
    for name, method in methods:
        if name == "__ffi_init__":
            say(key, "  " + define("__init__", method.metadata, bound=True, returns="None"))
        elif not (name.startswith("__ffi_") or any(name == other.name for other in info.parent_type_info.methods)):
            bound = not method.is_static
            say(key, "  @staticmethod" * method.is_static, "  " + define(name, method.metadata, bound, skip=bound))
    if "__ffi_init__" not in dict(methods):
        fields = [field for field in info.fields if field.c_init]
        fields.sort(key=lambda field: (field.c_kw_only, field.c_has_default))
        types = [text(json.loads(field.metadata["type_schema"]), TAKEN) for field in fields]
        words = [f"{field.name}: {kind}" + " = ..." * field.c_has_default for field, kind in zip(fields, types)]
        words.insert(sum(not field.c_kw_only for field in fields), "*")
        say(key, f"  def __init__(self, {', '.join(words)}) -> None: ...")
say(".", "class Library:")
for name in ("exported", "fill"):
    say(".", "  " + define(name, zoo.LIB.get_function_metadata(name), bound=True))
print(json.dumps({prefix: chr(10).join(lines) for prefix, lines in stubs.items()}))
"""


class Plainer(ast.NodeTransformer):
    """Takes out what a registry does not know: other names, what may be passed besides, overloads, docs."""

    def __init__(self, tree: ast.Module) -> None:
        self.names: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                self.names |= {alias.asname: alias.name for alias in node.names if alias.asname}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
                self.names[ast.unparse(node.target)] = str(node.value.value)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.names.get(node.id, node.id))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name(node.attr)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = ast.unparse(node.left), ast.unparse(node.right)
        besides = {"SupportsDLPack", "bytearray", *(["str"] if left in {"Device", "dtype"} else [])}
        return node.left if right in besides else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.body = [ast.Expr(ast.Constant(...))]
        node.decorator_list = [word for word in node.decorator_list if ast.unparse(word) != "overload"]
        node.args.defaults = [ast.Constant(...) for _ in node.args.defaults]
        node.args.kw_defaults = [default and ast.Constant(...) for default in node.args.kw_defaults]
        for number, arg in enumerate(arg for arg in node.args.posonlyargs if arg.arg != "self"):
            arg.arg = f"_{number}"
        return node


# Functions of the loader.
OWN_OF_LOADER = ("_folders", "_load", "_read_guard", "_refuse_known_failures")


def said_by(source: str) -> dict[str, list[str]]:
    """Return the plain definitions in a stub, by the names of what they define."""
    tree = ast.parse(source)
    tree = Plainer(tree).visit(tree)
    found: dict[str, list[str]] = {}

    def read(body: list[ast.stmt], owner: str = "") -> None:
        for node in body:
            if isinstance(node, ast.If):
                read(node.body, owner)
            elif isinstance(node, ast.ClassDef) and node.name != "SupportsDLPack":
                read(node.body, f"{node.name}.")
            elif isinstance(node, ast.FunctionDef) or (isinstance(node, ast.AnnAssign) and owner):
                name = node.name if isinstance(node, ast.FunctionDef) else ast.unparse(node.target)
                found.setdefault(f"{owner}{name}", []).append(ast.unparse(node))

    read(tree.body)
    # Overloads have an implementation, which takes anything.
    return {name: [line for line in lines if len(lines) == 1 or "*args" not in line] for name, lines in found.items()}


def test_each_signature_is_the_one_that_the_runtime_answers(zoo: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(zoo / "python")}
    answers = json.loads(run(sys.executable, "-c", ANSWERS, env=env).stdout)
    files = {prefix: zoo / "python" / prefix.replace(".", "/") / "_ffi_api.py" for prefix in answers if prefix}
    files[""] = zoo / "python/zoo/_library.py"
    assert set(files.values()) == {path for path in (zoo / "python").rglob("_*.py") if path.name != "__init__.py"}
    count = 0
    for prefix, path in files.items():
        said = said_by(path.read_text(encoding="utf-8"))
        for name in OWN_OF_LOADER:
            said.pop(name, None)
        assert said == said_by(answers[prefix]), prefix
        count += len(said)
    assert count >= 150
