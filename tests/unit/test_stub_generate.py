"""Filling blocks from a snapshot: pure functions, no library."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import run

from tvm_ffi_build.errors import StubError
from tvm_ffi_build.stubgen.files.python_names import is_plain_name, sort_key
from tvm_ffi_build.stubgen.generate import generate
from tvm_ffi_build.stubgen.new_package.loader import loader_file
from tvm_ffi_build.stubgen.new_package.packages import Init
from tvm_ffi_build.stubgen.registry.snapshot import read_snapshot

if TYPE_CHECKING:
    from tvm_ffi_build.stubgen.generate import GeneratedFiles
    from tvm_ffi_build.stubgen.registry.snapshot import Snapshot

BEGIN, END = "# tvm-ffi-stubgen(begin): {}", "# tvm-ffi-stubgen(end)"


def function(*params: str, returns: str = "int", doc: str = "", **more: Any) -> dict[str, Any]:
    schema = {
        "type": "ffi.Function",
        "named_args": {"return": [{"type": returns}], "params": [{"type": p} for p in params]},
    }
    return {"type": json.dumps(schema), "doc": doc, **more}


def field(name: str, kind: str = "int", **more: Any) -> dict[str, Any]:
    defaults = {"doc": None, "frozen": False, "init": True, "kw_only": False, "default": None}
    return {"name": name, "type": json.dumps({"type": kind}), **defaults, **more}


def method(name: str, *params: str, static: bool = False, **more: Any) -> dict[str, Any]:
    return {"name": name, **function(*params, **more), "static": static}


def kind(
    parent: str | None = "ffi.Object", *members: dict[str, Any], init: bool = False, python: str | None = None
) -> dict[str, Any]:
    fields = [member for member in members if "frozen" in member]
    return {
        "parent": parent,
        "python": python,
        "init": init,
        "fields": fields,
        "methods": [m for m in members if m not in fields],
    }


def snapshot(
    functions: dict[str, Any] | None = None, types: dict[str, Any] | None = None, **libraries: Any
) -> Snapshot:
    base = {"ffi.Object": kind(None, python="tvm_ffi.Object"), **(types or {})}
    data = {"schema": 1, "runtime": "1", "functions": functions or {}, "types": base, "libraries": libraries}
    return read_snapshot(json.dumps(data), "a test")


def fill(text: str, registry: Snapshot, name: str = "f.py") -> str:
    """Fill one file; a second run changes nothing."""
    path = Path(name)
    filled = generate({path: text}, registry).texts[path]
    assert generate({path: filled}, registry).texts[path] == filled
    return filled


def block(kind_: str, indent: str = "") -> str:
    return f"{indent}{BEGIN.format(kind_)}\n{indent}{END}\n"


SECTION = block("import-section")
PAIR = {
    "a.Pair": kind(
        "ffi.Object",
        field("x", doc="The x."),
        field("y", "ffi.String", frozen=True),
        method("__ffi_init__", "int", "ffi.String", static=True, returns="ffi.Object"),
        method("sum", "a.Pair", "int", doc="Add.\n\n\\param more How much."),
        init=True,
    )
}


def test_functions_and_what_they_import() -> None:
    registry = snapshot({"a.f": function("int", "ffi.Tensor"), "a.g": {"type": None, "doc": None}, "a.b.h": function()})
    assert fill(SECTION + block("global/a"), registry) == (
        "# tvm-ffi-stubgen(begin): import-section\n# fmt: off\n# isort: off\n"
        "from __future__ import annotations\n"
        "from tvm_ffi import init_ffi_api as _FFI_INIT_FUNC\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    from tvm_ffi import Tensor\n"
        "    from typing import Any, Protocol\n"
        "    class SupportsDLPack(Protocol):\n"
        '        """What speaks DLPack: tensors of numpy, torch, jax and others."""\n\n'
        "        def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...\n"
        "# isort: on\n# fmt: on\n# tvm-ffi-stubgen(end)\n"
        "# tvm-ffi-stubgen(begin): global/a\n# fmt: off\n"
        '_FFI_INIT_FUNC("a", __name__)\n'
        "if TYPE_CHECKING:\n"
        "    def f(_0: int, _1: Tensor | SupportsDLPack, /) -> int: ...\n"
        "    def g(*args: Any) -> Any: ...\n"
        "# fmt: on\n# tvm-ffi-stubgen(end)\n"
    )


def test_members_of_a_class() -> None:
    text = f"{SECTION}class Pair(object):\n    '''Doc.'''\n{block('object/a.Pair', '    ')}"
    assert fill(text, snapshot(types=PAIR)).endswith(
        "    # fmt: off\n"
        "    x: int\n"
        '    """The x."""\n'
        "    if TYPE_CHECKING:\n"
        "        @property\n"
        "        def y(self) -> str:\n"
        "            ...\n"
        "        def __init__(self, x: int, y: str, /) -> None: ...\n"
        "        def sum(self, more: int, /) -> int:\n"
        '            """Add.\n\n            \\\\param more How much.\n            """\n'
        "            ...\n"
        "    # fmt: on\n    # tvm-ffi-stubgen(end)\n"
    )


def test_what_the_class_defines_itself_is_not_defined_again() -> None:
    own = "    def __init__(self) -> None:\n        self.__ffi_init__(1, '')\n    x: int\n"
    text = f"{SECTION}class Pair:\n{block('object/a.Pair', '    ')}\n{own}"
    filled = fill(text, snapshot(types=PAIR))
    assert "def __ffi_init__(self, x: int, y: str, /) -> None: ..." in filled
    assert filled.count("def __init__") == 1
    assert filled.count("x: int\n") == 1


def test_a_constructor_from_fields_has_names_and_defaults() -> None:
    members = [
        field("a", default="3"),
        field("b"),
        field("c", kw_only=True, default="..."),
        field("d", init=False),
        field("e", "float", default="inf"),
    ]
    types = {"a.Base": kind("ffi.Object", field("z")), "a.O": kind("a.Base", *members, init=True)}
    filled = fill(f"{SECTION}class O:\n{block('object/a.O', '    ')}", snapshot(types=types))
    assert "def __init__(self, z: int, b: int, a: int = 3, e: float = ..., *, c: int = ...) -> None: ..." in filled


def test_a_field_that_is_declared_again_is_taken_once() -> None:
    types = {
        "a.Base": kind("ffi.Object", field("x"), field("y")),
        "a.O": kind("a.Base", field("x", "ffi.String"), init=True),
    }
    text = f"{SECTION}class O:\n{block('object/a.O', '    ')}"
    assert "def __init__(self, x: str, y: int) -> None: ..." in fill(text, snapshot(types=types))
    constructor = method("__ffi_init__", "int", "int", "ffi.String", static=True)
    types["a.O"] = kind("a.Base", field("x", "ffi.String"), constructor, init=True)
    assert "def __init__(self, _0: int, _1: int, _2: str, /) -> None: ..." in fill(text, snapshot(types=types))


def test_overloads_have_an_implementation_but_in_a_stub_file() -> None:
    types = {
        "a.O": kind("ffi.Object", method("f", "a.O", "int"), method("f", "a.O", "ffi.String", returns="ffi.String"))
    }
    text = f"{SECTION}class O:\n{block('object/a.O', '    ')}"
    filled = fill(text, snapshot(types=types))
    assert filled.count("@overload\n") == 2
    assert "def f(self, *args: Any) -> Any: ..." in filled
    assert "*args" not in fill(text, snapshot(types=types), "f.pyi")


def test_overloads_of_a_static_method_are_static_and_their_implementation_too() -> None:
    overloads = method("f", "int", static=True), method("f", "ffi.String", static=True, returns="ffi.String")
    filled = fill(
        f"{SECTION}class O:\n{block('object/a.O', '    ')}", snapshot(types={"a.O": kind("ffi.Object", *overloads)})
    )
    assert filled.count("@overload\n        @staticmethod\n") == 2
    assert "        @staticmethod\n        def f(*args: Any) -> Any: ..." in filled


def test_overloads_that_python_cannot_tell_apart_are_one() -> None:
    types = {"a.O": kind("ffi.Object", method("f", "a.O", "int"), method("f", "a.O", "int"))}
    filled = fill(f"{SECTION}class O:\n{block('object/a.O', '    ')}", snapshot(types=types))
    assert filled.count("def f(self, _0: int, /) -> int: ...") == 1
    assert "@overload" not in filled


def test_names_that_mean_something_else_here() -> None:
    functions = {f"a.{name}": function("int", returns="ffi.Any") for name in ("int", "Any", "f")}
    types = {"a.str": kind("ffi.Object", field("bool"), field("x", "bool"), field("y", "ffi.String"))}
    filled = fill(
        f"{SECTION}{block('global/a')}class str:\n{block('object/a.str', '    ')}", snapshot(functions, types)
    )
    assert "def int(_0: builtins.int, /) -> _typing_Any: ..." in filled
    assert "    x: builtins.bool\n    y: builtins.str\n" in filled
    assert "import builtins\n" in filled
    assert "from typing import Any as _typing_Any, NoReturn\n" in filled


def test_names_that_python_cannot_define_are_left_out_and_told() -> None:
    registry = snapshot(
        {"a.class": function(), "a.x-y": function(), "a.ok": function()},
        {"a.O": kind("ffi.Object", field("from"), method("lambda", "a.O"))},
    )
    result = generate({Path("f.py"): f"{SECTION}{block('global/a')}class O:\n{block('object/a.O', '    ')}"}, registry)
    assert [re.sub(r"^f\.py:\d+: ", "", note) for note in result.notes] == [
        f"{name} is left out: Python cannot define that name" for name in ("a.class", "a.x-y", "a.O.from", "a.O.lambda")
    ]
    assert "def ok()" in result.texts[Path("f.py")]


def test_a_function_named_like_a_class_of_the_file_is_the_class() -> None:
    pair = f"class Pair:\n{block('object/a.Pair', '    ')}"
    text = f"{SECTION}{block('global/a')}{pair}__all__ = [\n{block('__all__', '    ')}]\n"
    filled = fill(text, snapshot({"a.Pair": function(), "a.f": function()}, PAIR))
    assert "def Pair(" not in filled
    assert '    "Pair",\n    "f",\n' in filled


@pytest.mark.parametrize(
    "key", ["a-b", "std::pair<int, a.B>", "a.class", ".a", "a..b", "\ud800", "\n# tvm-ffi-stubgen(end)\n"]
)
def test_a_type_whose_key_is_no_name_is_anything(key: str) -> None:
    registry = snapshot({"a.f": function(key, returns=key)})
    assert "def f(_0: Any, /) -> Any: ..." in fill(f"{SECTION}{block('global/a')}", registry)


def test_a_class_that_a_function_has_defined_is_what_it_inherits_from() -> None:
    types = {
        "a.P": kind(python="a.P"),
        "a.C": kind("a.P", python="a.make.<locals>.C"),
        "a.D": kind(python="a.P.<locals>"),
    }
    registry = snapshot({"b.f": function("a.C", returns="a.D")}, types)
    # One family with what the file has.
    text = f"{SECTION}class Own:\n{block('object/a.Own', '    ')}{block('global/b')}"
    registry = snapshot({"b.f": function("a.C", returns="a.D")}, {**types, "a.Own": kind()})
    assert "def f(_0: P, /) -> Object: ..." in fill(text, registry)


def test_docs_that_quote_a_directive_are_none() -> None:
    registry = snapshot({"a.f": function(doc=f"Fills:\n\n{BEGIN.format('global/a')}\n{END}\n")})
    assert f"\\x23{END[1:]}" in fill(f"{SECTION}{block('global/a')}", registry)


def test_types_are_mapped_and_imported_from_where_they_are() -> None:
    types = {
        "a.Here": kind(),
        "b.Mapped": kind(),
        "ffi.Known": kind(python="tvm_ffi.deep.Known"),
        "a.Nowhere": kind("a.Here"),
        "c.d.Other": kind(),
    }
    registry = snapshot({f"a.f{i}": function(key) for i, key in enumerate(types)}, types)
    local = f"class Local:\n    '''Doc.'''\n{block('object/a.Here', '    ')}"
    text = f"# tvm-ffi-stubgen(ty-map): b.Mapped -> ffi.x.Mine\n{SECTION}{block('global/a')}{local}"
    filled = fill(text, registry)
    for number, name in enumerate(["Local", "Mine", "Known", "Local", "Other"]):
        assert f"def f{number}(_0: {name}, /)" in filled
    for line in ("from tvm_ffi.x import Mine", "from tvm_ffi.deep import Known", "from c.d import Other"):
        assert f"    {line}\n" in filled


def test_a_class_outside_of_the_folders_that_its_key_names_is_imported_from_its_package(tmp_path: Path) -> None:
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    for home, expected in (("__init__.py", "from mine import A\n"), ("nodes.py", "from mine.nodes import A\n")):
        texts = {
            package / home: f"{SECTION}class A:\n{block('object/x.A', '    ')}",
            package / "calls.py": f"{SECTION}{block('global/a')}",
        }
        filled = generate(texts, snapshot({"a.f": function("x.A")}, {"x.A": kind()})).texts
        assert expected in filled[package / "calls.py"]


def test_types_that_are_no_classes_are_mapped_too() -> None:
    types = {"int": kind(None), "ffi.Tensor": kind(python="tvm_ffi.Tensor"), "Plain": kind()}
    registry = snapshot({"a.list": function("ffi.Array"), "a.f": function("ffi.Tensor", "int", "Plain")}, types)
    mapped = {"Tensor": "torch.Tensor", "Array": "list", "int": "builtins.float", "Plain": "b.Mapped", "dtype": "Kind"}
    head = "".join(f"# tvm-ffi-stubgen(ty-map): {left} -> {right}\n" for left, right in mapped.items())
    filled = fill(f"{head}{SECTION}{block('global/a')}class Plain:\n{block('object/Plain', '    ')}", registry)
    # A class of the file is itself, wherever it is said to be.
    assert "    from torch import Tensor\n" in filled
    assert "def f(_0: Tensor, _1: float, _2: Plain, /) -> float: ...\n" in filled
    assert "def list(_0: builtins.list[Any], /) -> float: ...\n" in filled


def test_imports_that_are_asked_for() -> None:
    asked = ("ffi.Object;False;_ffi_Object", "a.b;True")
    text = "".join(f"# tvm-ffi-stubgen(import-object): {name}\n" for name in asked) + SECTION
    filled = fill(text, snapshot())
    assert "\nfrom tvm_ffi import Object as _ffi_Object\n" in filled
    assert "if TYPE_CHECKING:\n    from a import b\n" in filled


def test_what_the_file_imports_itself_is_used() -> None:
    text = f"import tvm_ffi\nfrom typing import TYPE_CHECKING as CHECKING, Any as Anything\n{block('global/a')}"
    filled = fill(text, snapshot({"a.f": function("ffi.Any", returns="ffi.Tensor")}))
    assert (
        'tvm_ffi.init_ffi_api("a", __name__)\nif CHECKING:\n    def f(_0: Anything, /) -> tvm_ffi.Tensor: ...\n'
        in filled
    )
    assert filled.count("import") == 2


@pytest.mark.parametrize(("code", "imported"), [("", False), ("if TYPE_CHECKING:\n    x = 1\n", True)])
def test_a_section_has_nothing_that_nobody_uses(code: str, imported: bool) -> None:
    assert ("import TYPE_CHECKING" in fill(SECTION + code, snapshot())) is imported


def test_what_is_imported_where_the_first_way_failed_is_used() -> None:
    text = f"try:\n    import nothing\nexcept ImportError:\n    import tvm_ffi\nimport typing\n{block('global/a')}"
    assert "\ntvm_ffi.init_ffi_api(" in fill(text, snapshot({"a.f": function()}))


def test_a_section_before_the_files_own_imports_stands_alone() -> None:
    text = f"{SECTION}from typing import TYPE_CHECKING\n{block('global/a')}"
    filled = fill(text, snapshot({"a.f": function("ffi.Any")}))
    assert filled.index(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typing import Any"
    ) < filled.index("global/a")


@pytest.mark.parametrize("before", ["if TYPE_CHECKING:\n    import tvm_ffi\n", ""])
def test_an_import_that_is_not_there_when_the_block_runs_is_not_used(before: str) -> None:
    text = f"from typing import TYPE_CHECKING\n{before}{block('global/a')}import tvm_ffi\n"
    filled = fill(text, snapshot({"a.f": function()}))
    assert 'from tvm_ffi import init_ffi_api as _FFI_INIT_FUNC\n_FFI_INIT_FUNC("a", __name__)\n' in filled


def test_a_block_without_a_section_brings_its_imports() -> None:
    filled = fill(block("global/a"), snapshot({"a.f": function("ffi.Array")}))
    assert "from tvm_ffi import init_ffi_api as _FFI_INIT_FUNC\n" in filled
    assert "if TYPE_CHECKING:\n    from collections.abc import Sequence\n" in filled


def test_where_the_init_function_comes_from_can_be_said() -> None:
    filled = fill(SECTION + block("global/a@.registry"), snapshot({"a.f": function()}))
    assert "from .registry import init_ffi_api as _FFI_INIT_FUNC\n" in filled


def test_annotations_that_are_evaluated_are_hidden() -> None:
    """Python 3.9 cannot evaluate ``int | None``."""
    text = f"from typing import TYPE_CHECKING\nclass O:\n    '''Doc.'''\n{block('object/a.O', '    ')}"
    filled = fill(text, snapshot(types={"a.O": kind("ffi.Object", field("x"))}))
    assert "    if TYPE_CHECKING:\n        x: int\n" in filled


def test_a_byte_order_mark_tabs_and_line_ends_stay() -> None:
    directives = f"if True:\r\n\t{BEGIN.format('global/a')}\r\n\t{END}\r\n"
    text = f"\ufeff# -*- coding: utf-8 -*-\r\nimport tvm_ffi, typing\r\n{directives}x = 'ü'  \r\n"
    filled = fill(text, snapshot({"a.f": function()}))
    assert filled.startswith(text.partition("\t# tvm-ffi-stubgen(end)")[0])
    assert filled.endswith(text[text.index(f"\t{END}") :])
    assert (
        '\r\n\ttvm_ffi.init_ffi_api("a", __name__)\r\n\tif typing.TYPE_CHECKING:\r\n\t    def f() -> int: ...\r\n'
        in filled
    )
    assert "\n" not in filled.replace("\r\n", "")


def test_exports_are_the_names_of_the_other_file() -> None:
    api = f"{SECTION}{block('global/a')}own = 1\n__all__ = [\n    'own',\n{block('__all__', '    ')}]\n"
    registry = snapshot({"a.f": function(), "a.list": function()})
    paths = Path("p/__init__.py"), Path("p/_ffi_api.py")
    for before, operator in (("", "="), ("__all__ = ['x']\n", "+=")):
        texts = generate({paths[0]: before + block("export/_ffi_api"), paths[1]: api}, registry).texts
        imports = "from ._ffi_api import (\n    f,\n    list,\n    own,\n)\n"
        assert f'{imports}__all__ {operator} [\n    "f",\n    "list",\n    "own",\n]\n' in texts[paths[0]]
    alone = generate({paths[0]: block("export/_ffi_api")}, registry).texts[paths[0]]
    assert (
        "from . import _ffi_api\nfrom ._ffi_api import *  # noqa: F403\n__all__ = []\n__all__ += _ffi_api.__all__\n"
        in alone
    )


def test_exports_pass_through_packages() -> None:
    api = f"{SECTION}{block('global/a')}__all__ = [\n{block('__all__', '    ')}]\n"
    paths = Path("p/__init__.py"), Path("p/sub/__init__.py"), Path("p/sub/_ffi_api.py")
    texts = dict(zip(paths, (block("export/sub"), block("export/_ffi_api"), api)))
    filled = generate(texts, snapshot({"a.f": function()})).texts
    assert "from .sub import (\n    f,\n)\n" in filled[paths[0]]


def test_exports_that_go_round_in_a_circle() -> None:
    line = r"p.(__init__|a)\.py exports what it is exported by; take out one of the blocks export/\.\.\."
    with pytest.raises(StubError, match=line):
        generate({Path("p/__init__.py"): block("export/__init__")}, snapshot())
    with pytest.raises(StubError, match=line):
        generate({Path("p/__init__.py"): block("export/a"), Path("p/a.py"): block("export/__init__")}, snapshot())


def test_a_file_for_a_prefix_gets_all_its_classes() -> None:
    text = f"# tvm-ffi-stubgen(prefix): a\n# tvm-ffi-stubgen(skip): a.Not\n{SECTION}"
    types = {"a.B": kind("a.C"), "a.C": kind(), "a.Not": kind(), "a.deep.D": kind(), "a.Known": kind(python="x.Known")}
    filled = fill(text, snapshot(types=types))
    assert re.findall(r"^class (\w+)\((\w+)\):", filled, re.MULTILINE) == [("C", "_ffi_Object"), ("B", "C")]


def begin(registry: Snapshot, texts: dict[Path, str] | None = None, prefix: str = "my_ext.") -> GeneratedFiles:
    init = Init(Path("python"), "my-ext", "my_ext_lib", prefix)
    result = generate(texts or {}, registry, init=init)
    assert generate({**(texts or {}), **result.texts}, registry, init=init).texts == result.texts
    return result


def test_packages_that_would_need_each_other() -> None:
    types = {"my_ext.A": kind("my_ext.sub.B"), "my_ext.sub.B": kind(), "my_ext.sub.C": kind("my_ext.A")}
    with pytest.raises(
        StubError, match=r"my_ext/_ffi_api\.py and .+/sub/_ffi_api\.py would have base classes from each other"
    ):
        begin(snapshot(types=types))


def test_functions_with_names_that_the_file_needs() -> None:
    registry = snapshot({f"a.{name}": function() for name in ("LIB", "TYPE_CHECKING", "ok")})
    result = generate({Path("f.py"): SECTION + block("global/a")}, registry)
    assert re.findall(r"def (\w+)\(", result.texts[Path("f.py")]) == ["ok"]
    assert result.notes[0].endswith("a.LIB is left out: what is generated needs that name for something else")


def test_base_classes_of_the_same_name_are_told_apart() -> None:
    types = {
        "my_ext.Node": kind(),
        "my_ext.v2.Node": kind("my_ext.Node"),
        "my_ext.v3.A": kind("my_ext.v2.Node"),
        "my_ext.v3.B": kind("my_ext.Node"),
    }
    texts = begin(snapshot(types=types)).texts
    second, third = (texts[Path(f"python/my_ext/{name}/_ffi_api.py")] for name in ("v2", "v3"))
    assert "from my_ext._ffi_api import Node as _Node\n" in second
    assert "class Node(_Node):" in second
    assert "from my_ext.v2._ffi_api import Node\n" in third
    assert "class A(Node):" in third
    assert "from my_ext._ffi_api import Node as _Node\n" in third
    assert "class B(_Node):" in third


def test_a_base_class_whose_name_the_file_has_given_away() -> None:
    text = f"# tvm-ffi-stubgen(prefix): a\n# tvm-ffi-stubgen(import-object): x.Node;False;Node\n{SECTION}"
    filled = fill(text, snapshot(types={"a.T": kind("b.Node"), "b.Node": kind(python="b.Node")}))
    assert "from b import Node as _Node\n" in filled
    assert "class T(_Node):" in filled


def test_a_file_for_a_prefix_needs_no_section_of_its_own() -> None:
    filled = fill("# tvm-ffi-stubgen(prefix): a\n", snapshot(types={"a.T": kind(), "a.x-y": kind()}))
    assert filled.index("register_object as _FFI_REG_OBJ") < filled.index("class T(_ffi_Object):")


def test_a_method_of_an_inherited_name_is_the_inherited_one() -> None:
    types = {
        "a.P": kind("ffi.Object", method("f", "a.P")),
        "a.C": kind("a.P", method("f", "a.C", "int"), method("same_as", "a.C"), method("g", "a.C")),
    }
    filled = fill(f"{SECTION}class C:\n{block('object/a.C', '    ')}", snapshot(types=types))
    assert re.findall(r"def (\w+)\(self", filled) == ["__init__", "g"]


def test_a_library_that_is_not_loaded_is_told() -> None:
    texts = {Path("f.py"): block("library/a")}
    assert generate(texts, snapshot(**{"liba.dylib": {}})).notes == []
    assert generate(texts, snapshot(**{"liba-1.so": {"h": function()}})).notes == [
        "f.py:1: no library of the target a is loaded: liba.so or liba.dylib or a.dll or a.so"
    ]


def test_a_method_of_the_name_of_a_field_is_the_field() -> None:
    types = {
        "a.P": kind("ffi.Object", field("x")),
        "a.C": kind("a.P", field("y"), method("x", "a.C"), method("y", "a.C"), method("g", "a.C")),
    }
    filled = fill(f"{SECTION}class C:\n{block('object/a.C', '    ')}", snapshot(types=types))
    assert re.findall(r"def (\w+)\(self", filled) == ["__init__", "g"]
    assert "    y: int\n" in filled


def test_a_type_without_a_constructor_takes_nothing() -> None:
    filled = fill(f"{SECTION}class C:\n{block('object/a.C', '    ')}", snapshot(types={"a.C": kind()}))
    assert "def __init__(self, _: NoReturn, /) -> None: ..." in filled


def test_the_constructor_of_a_class_that_has_its_own_is_left_to_it() -> None:
    text = (
        f"{SECTION}class A:\n{block('object/a.A', '    ')}\n    def __init__(self) -> None:\n        raise TypeError\n"
    )
    assert fill(text, snapshot(types={"a.A": kind()})).count("def __init__") == 1


def test_a_member_named_like_a_class_of_the_file() -> None:
    types = {"a.Dog": kind(), "a.Cage": kind("ffi.Object", field("Dog", "a.Dog"), field("other", "a.Dog"))}
    text = SECTION + "".join(f"class {name}:\n{block(f'object/a.{name}', '    ')}" for name in ("Dog", "Cage"))
    filled = fill(text, snapshot(types=types))
    assert '    _Dog: TypeAlias = "Dog"\n' in filled
    assert "    Dog: _Dog\n    other: _Dog\n" in filled


def test_decorators_are_told_apart_from_members() -> None:
    members = [field("property"), field("x", frozen=True), method("staticmethod", "a.C"), method("s", static=True)]
    filled = fill(
        f"{SECTION}class C:\n{block('object/a.C', '    ')}", snapshot(types={"a.C": kind("ffi.Object", *members)})
    )
    assert "@builtins.property\n" in filled
    assert "@builtins.staticmethod\n" in filled


def test_symbols_that_the_library_object_cannot_have() -> None:
    names = {name: function() for name in ("ok", "lambda", "kind", "get_function")}
    filled = fill(f"{SECTION}{block('library/x')}", snapshot(**{"libx.so": names}))
    assert re.findall(r"def (\w+)\(self", filled) == ["ok"]


def test_a_package_from_nothing_with_sub_packages() -> None:
    types = {"my_ext.A": kind(), "my_ext.sub.B": kind("my_ext.A"), "other.C": kind()}
    result = begin(
        snapshot(
            {"my_ext.f": function(), "my_ext.sub.deep.g": function()},
            types,
            **{"libmy_ext_lib.so": {"h": function("int")}},
        )
    )
    package = Path("python/my_ext")
    assert set(result.texts) == {
        package / name
        for name in (
            "__init__.py",
            "_ffi_api.py",
            "_library.py",
            "py.typed",
            "sub/__init__.py",
            "sub/_ffi_api.py",
            "sub/deep/__init__.py",
            "sub/deep/_ffi_api.py",
        )
    }
    assert "from my_ext._ffi_api import A\n" in result.texts[package / "sub/_ffi_api.py"]
    assert "class B(A):" in result.texts[package / "sub/_ffi_api.py"]
    assert "from ..._library import LIB\n" in result.texts[package / "sub/deep/_ffi_api.py"]
    assert "def h(self, _0: int, /) -> int: ..." in result.texts[package / "_library.py"]
    assert "python -m pip install --force-reinstall my-ext" in result.texts[package / "_library.py"]


@pytest.mark.parametrize(
    ("distribution", "target"),
    [("my-ext", "my_ext"), ("a.b-c", "_core"), ("Größe", "x2")],
    ids=["usual", "core", "utf-8"],
)
def test_the_loader_is_the_expected_text(distribution: str, target: str) -> None:
    expected = Path(__file__).with_name("expected_loader.txt").read_text(encoding="utf-8")
    assert loader_file(distribution, target) == expected.replace("my_ext", target).replace("my-ext", distribution)


@pytest.mark.parametrize(
    ("implementation", "message"),
    [("pypy", "^my-ext and apache-tvm-ffi need CPython, not pypy$"), ("cpython", "^import of tvm_ffi halted")],
)
def test_the_loader_names_a_python_that_the_runtime_does_not_support(
    monkeypatch: pytest.MonkeyPatch, implementation: str, message: str
) -> None:
    monkeypatch.setitem(sys.modules, "tvm_ffi", None)
    monkeypatch.setattr(sys, "implementation", SimpleNamespace(**{**vars(sys.implementation), "name": implementation}))
    with pytest.raises(ImportError, match=message):
        exec(loader_file("my-ext", "my_ext"), {"__name__": "my_ext._library"})  # noqa: S102


def test_classes_for_a_file_without_blocks_bring_their_imports() -> None:
    registry = snapshot(types={"my_ext.A": kind()})
    own = {Path("python/my_ext/_ffi_api.py"): "own = 1\n", Path("python/my_ext/__init__.py"): ""}
    text = begin(registry, own).texts[Path("python/my_ext/_ffi_api.py")]
    assert "from tvm_ffi import Object as _ffi_Object, register_object as _FFI_REG_OBJ\n" in text
    assert text.index("as _FFI_REG_OBJ") < text.index("class A(_ffi_Object):")


def test_classes_for_a_file_with_functions_have_their_imports_from_those() -> None:
    registry = snapshot({"a.f": function()}, {"a.A": kind()})
    text = fill(f"# tvm-ffi-stubgen(prefix): a\n{block('global/a')}", registry)
    assert "import-section" not in text
    assert text.index("as _FFI_REG_OBJ") < text.index("def f(") < text.index("class A(_ffi_Object):")


def test_what_is_registered_later_is_added() -> None:
    before = begin(snapshot({"my_ext.f": function()})).texts
    later = begin(snapshot({"my_ext.f": function(), "my_ext.new.g": function()}, {"my_ext.A": kind()}), before).texts
    api = later[Path("python/my_ext/_ffi_api.py")]
    assert "class A(_ffi_Object):" in api
    assert '    "A",\n    "f",\n' in api
    assert Path("python/my_ext/new/_ffi_api.py") in later


def test_functions_that_come_after_classes_are_added_to_their_file() -> None:
    before = begin(snapshot(types={"my_ext.A": kind()})).texts
    later = begin(snapshot({"my_ext.f": function()}, {"my_ext.A": kind()}), before).texts
    assert "def f() -> int: ..." in later[Path("python/my_ext/_ffi_api.py")]


def test_a_package_of_exported_functions_alone_has_what_loads_them() -> None:
    texts = begin(snapshot({"my_ext.sub.f": function()}, **{"libmy_ext_lib.so": {"h": function("int")}})).texts
    assert Path("python/my_ext/_ffi_api.py") in texts
    assert "def h(self, _0: int, /) -> int: ..." in texts[Path("python/my_ext/_library.py")]


def test_blocks_that_nothing_is_registered_for_are_told() -> None:
    texts = {Path("f.py"): f"{SECTION}{block('global/none')}", Path("g.py"): "# tvm-ffi-stubgen(prefix): none\n"}
    assert sorted(generate(texts, snapshot()).notes) == [
        "f.py:3: no function is registered below none",
        "g.py:1: no type is registered below none",
    ]


@pytest.mark.parametrize(("texts", "expected"), [({Path("my_ext/__init__.py"): ""}, "my_ext"), ({}, "my_ext/my_ext")])
def test_a_folder_that_is_the_package_already(texts: dict[Path, str], expected: str) -> None:
    init = Init(Path("my_ext"), "my-ext", "my_ext", "my_ext")
    assert Path(expected, "_ffi_api.py") in generate(texts, snapshot({"my_ext.f": function()}), init=init).texts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "class A:\n" + block("object/no.Such", "    "),
            r"f\.py:2: no type is registered as no\.Such; load the library .* or delete the block",
        ),
        ("x = (\n" + block("global/a"), r"f\.py:1: not valid Python: '\(' was never closed"),
        (
            block("global/a") + "from __future__ import annotations\n",
            r"f\.py:\d+: the generated file would not parse: from __future__ imports",
        ),
        (
            "class Pair:\n    x = 1\n" + block("object/a.Pair", "    "),
            r"f\.py:3: the block needs TYPE_CHECKING of typing, which the file does not",
        ),
        (
            "# coding: latin-1\n" + block("global/a"),
            r"f\.py:1: the encoding declared here is iso-8859-1; convert it to UTF-8, and change the declaration",
        ),
        ("# coding: klingon\n" + block("global/a"), r"f\.py:1: not valid Python: unknown encoding: klingon"),
        (
            SECTION + "x = " + "-" * 20_000 + "1\n",
            r"f\.py is nested more deeply than Python's parser can follow; split it",
        ),
        (
            SECTION + "x = a" + ".b" * 20_000 + "\n",
            r"f\.py is nested more deeply than Python's parser can follow; split it",
        ),
        (
            SECTION + "if a:\n    b\n" + "elif a:\n    b\n" * 2000,
            r"f\.py is nested more deeply than Python's parser can follow; split it",
        ),
        (
            "# tvm-ffi-stubgen(prefix): a\n# tvm-ffi-stubgen(prefix): b\n",
            r"f\.py:2: a second prefix in one file; split the file",
        ),
    ],
)
def test_what_cannot_be_filled_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(StubError, match=message):
        generate({Path("f.py"): text}, snapshot({"a.f": function()}, PAIR))


def test_a_tuple_of_names_cannot_be_added_to() -> None:
    """Unless by another tuple, which is what a file that is written by hand may have."""
    api = {Path("p/g.py"): block("global/a")}
    init, registry = Path("p/__init__.py"), snapshot({"a.f": function()})
    with pytest.raises(
        StubError, match=r"p.__init__\.py:1: __all__ is a tuple, which the block export/g cannot add to; make it"
    ):
        generate({init: '__all__ = ("x",)\n' + block("export/g"), **api}, registry)
    later = generate({init: '__all__ = ("x",)\n__all__ = [*__all__]\n' + block("export/g"), **api}, registry).texts[
        init
    ]
    assert '__all__ += [\n    "f",\n]' in later
    by_hand = generate({init: '__all__ = ("x",)\n' + block("export/g")}, registry).texts[init]
    assert "__all__ += g.__all__" in by_hand


def test_a_class_is_begun_once_where_two_ask_for_it() -> None:
    """The package that is begun, and the directive of a file in it."""
    api = Path("python/my_ext/_ffi_api.py")
    types = {"my_ext.A": kind("ffi.Object", field("x"))}
    assert begin(snapshot(types=types), {api: "# tvm-ffi-stubgen(prefix): my_ext\n"}).texts[api].count("class A(") == 1


def test_what_asks_to_be_left_alone_is_not_begun_anew() -> None:
    own = "# tvm-ffi-stubgen(skip-file)\nx = 1\n"
    registry = snapshot({"my_ext.f": function(), "my_ext.sub.g": function()})
    names = "__init__.py", "_ffi_api.py", "_library.py", "sub/__init__.py"
    for name in names:
        path = Path("python/my_ext", name)
        init = Init(Path("python"), "my-ext", "my_ext", "my_ext")
        begun = generate({path: own}, registry, init=init).texts
        assert path not in begun
        assert Path("python/my_ext/sub/_ffi_api.py") in begun


def test_a_class_in_a_package_that_is_just_begun(tmp_path: Path) -> None:
    """Where it will be imported from is not yet to be seen on the disk."""
    api = tmp_path / "my_ext" / "_ffi_api.py"
    text = f"{SECTION}class Node:\n{block('object/my_ext.sub.Node', '    ')}"
    registry = snapshot(
        {"my_ext.f": function(), "my_ext.sub.f": function()},
        {"my_ext.sub.Node": kind()},
        **{"libmy_ext.so": {"run": function("my_ext.sub.Node")}},
    )
    texts = generate({api: text}, registry, init=Init(tmp_path, "my-ext", "my_ext", "my_ext")).texts
    assert "    from my_ext._ffi_api import Node\n" in texts[tmp_path / "my_ext" / "_library.py"]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_file_may_say_that_it_is_utf_8(encoding: str) -> None:
    assert "def f(" in fill(
        f"# -*- coding: {encoding} -*-\n{SECTION}{block('global/a')}", snapshot({"a.f": function()})
    )


def test_what_python_thinks_of_a_files_own_code_is_not_said_here() -> None:
    """As a test, it would be an error; for a user, some lines that nobody asked for."""
    assert "'\\d'" in fill(f"{SECTION}{block('global/a')}x = '\\d' is 1\n", snapshot({"a.f": function()}))


def test_two_files_for_one_prefix() -> None:
    text = "# tvm-ffi-stubgen(prefix): a\n"
    with pytest.raises(StubError, match=r"g\.py:1: the prefix a is claimed by f\.py:1 too; take it out of one"):
        generate({Path("f.py"): text, Path("g.py"): text}, snapshot(types=PAIR))


@pytest.mark.parametrize("module", ["a.py", "a/ops.py", "a/ops/deep.py"])
def test_a_module_that_a_package_would_hide(tmp_path: Path, module: str) -> None:
    """Of both, Python imports the package."""
    (tmp_path / "a/ops").mkdir(parents=True)
    (tmp_path / module).write_text("own = 1\n", encoding="utf-8")
    registry, init = snapshot({"a.ops.deep.f": function()}), Init(tmp_path, "a", "a", "a")
    package = (tmp_path / module).with_suffix("") / "__init__.py"
    message = f"{tmp_path / module} would be hidden by a package that a.ops.deep needs; move it to {package}"
    with pytest.raises(StubError, match=f"^{re.escape(message)}$"):
        generate({}, registry, init=init)
    (tmp_path / module).unlink()
    assert tmp_path / "a/ops/deep/_ffi_api.py" in generate({package: "own = 1\n"}, registry, init=init).texts


def test_a_package_that_would_hold_nothing() -> None:
    message = "'my_ext': what is registered below my_ext.x-y is left out: Python cannot import a package named 'x-y'"
    with pytest.raises(StubError, match=f"^no package can be started for the prefix {re.escape(message)}$"):
        begin(snapshot({"my_ext.x-y.f": function()}))


@pytest.mark.parametrize(
    ("prefix", "message"), [("nothing.", "nothing is registered below 'nothing'"), ("a-b", "is not a dotted name")]
)
def test_a_prefix_that_begins_nothing(prefix: str, message: str) -> None:
    with pytest.raises(StubError, match=message):
        begin(snapshot({"a.f": function()}), prefix=prefix)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("default", "0) -> None: ...\nimport os"),
        ("default", []),
        ("default", "f()"),
        ("doc", 5),
        ("name", 5),
        ("type", 5),
    ],
)
def test_a_snapshot_with_a_member_that_is_none(where: str, value: object) -> None:
    with pytest.raises(StubError, match=r"a test (is damaged|has a type schema .*); make it again"):
        snapshot(types={"a.O": kind("ffi.Object", {**field("x"), where: value})})


@pytest.mark.parametrize("depth", [1, 101])
def test_types_that_inherit_without_end(depth: int) -> None:
    types = {f"a.T{number}": kind(f"a.T{number + 1}") for number in range(depth)}
    assert snapshot(types=types).types["a.T0"].parent == "a.T1"
    with pytest.raises(StubError, match=r"a test is damaged; make it again"):
        snapshot(types={**types, f"a.T{depth}": kind("a.T0")})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema": 2}',
        '{"schema": 1}',
        '{"schema": 1, "runtime": "1", "functions": {"f": {"type": "{", "doc": null}}, "types": {}, "libraries": {}}',
    ],
)
def test_a_snapshot_that_is_none(text: str) -> None:
    with pytest.raises(StubError, match=r"^s\.json (is|has) .*; make (it again|one): tvm-ffi-build stubgen --json"):
        read_snapshot(text, "s.json")


# ---- Names that Python, the runtime or the file cannot have ---------------------------------------------------------

LOADED: dict[str, Any] = {"libmy_ext_lib.so": {}}
AWKWARD = ["None", "from", "class", "self", "a-b", "1x", "", "__init__", "__dict__", "match", "LIB", "ok", "_x", "Ä"]
names = st.sampled_from(AWKWARD)


@st.composite
def awkward(draw: st.DrawFn) -> Snapshot:
    """Make a registry that has such names everywhere."""
    keys = draw(st.lists(names.map("p.{}".format) | st.tuples(names, names).map("p.{0[0]}.{0[1]}".format), max_size=4))
    prefixes = draw(st.lists(names, max_size=2))
    functions = {
        ".".join(["p", *prefixes[:depth], name]): function(*keys[:2], returns=key)
        for depth in range(len(prefixes) + 1)
        for name, key in zip(draw(st.lists(names, max_size=3)), [*keys, "int", "int", "int"])
    }
    types = {
        key: kind(
            draw(st.sampled_from(["ffi.Object", *keys[:number]])),
            *(field(name, kw_only=draw(st.booleans())) for name in draw(st.lists(names, max_size=3, unique=True))),
            *(method(name, key, "int") for name in draw(st.lists(names, max_size=2, unique=True))),
            init=draw(st.booleans()),
        )
        for number, key in enumerate(dict.fromkeys(keys))
    }
    return snapshot({**functions, "p.always": function()}, types)


@given(awkward())
def test_whatever_is_registered_there_is_a_package_and_what_it_lacks_is_said(registry: Snapshot) -> None:
    init = Init(Path("python"), "p", "p", "p")
    try:
        result = generate({}, registry, init=init)
    except StubError as error:
        assert "would have base classes from each other" in str(error)  # noqa: PT017
        return
    found = {}
    for path, text in result.texts.items():
        assert all(is_plain_name(part) for part in path.with_suffix("").parts)
        prefix = ".".join(path.parent.parts[1:])
        tree = ast.parse(text)
        for node in [*tree.body, *(node for part in tree.body if isinstance(part, ast.If) for node in part.body)]:
            # What Python cannot define it does not parse.
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                found[f"{prefix}.{node.name}"] = ast.unparse(node)
    told = "\n".join(result.notes)
    for name in registry.types:
        if name != "ffi.Object":
            assert name in found or name in told or name.rpartition(".")[0] in told, name
    for name, registered in registry.functions.items():
        assert name in found or name in told or name.rpartition(".")[0] in told, name
        returns = registered.schema and registered.schema.returns
        if found.get(name, "").startswith("def") and returns is not None and returns.origin.startswith("p."):
            assert "-> None" not in found[name]
    again = generate(result.texts, registry, init=init)
    assert again.texts == result.texts


def test_a_part_of_a_prefix_that_python_cannot_import_leaves_out_what_is_below() -> None:
    functions = {f"my_ext.{name}": function() for name in ("import.onnx", "_library.g", "f")}
    result = begin(snapshot(functions, **LOADED))
    assert result.notes == [
        "what is registered below my_ext._library is left out: a package has a module named '_library' already",
        "what is registered below my_ext.import is left out: Python cannot import a package named 'import'",
    ]
    assert "def f() -> int: ..." in result.texts[Path("python/my_ext/_ffi_api.py")]


@pytest.mark.parametrize("key", ["a.None", "a.b.None", "a.True"])
def test_a_type_that_is_called_like_a_constant_is_not_that_constant(key: str) -> None:
    assert "def f(_0: Any, /) -> Any: ..." in fill(
        SECTION + block("global/a"), snapshot({"a.f": function(key, returns=key)}, {key: kind()})
    )


def test_a_class_with_a_field_that_no_parameter_can_have_gets_a_constructor_that_works() -> None:
    """The runtime makes one of the fields, where the class has none, and raises an error for such a name."""
    text = f"{SECTION}class O:\n{block('object/a.O', '    ')}"
    at_run_time = (
        "    else:\n        def __init__(self, /, *args, **kwargs):\n            self.__ffi_init__(*args, **kwargs)\n"
    )
    members = [field("to"), field("from"), field("self"), field("x", kw_only=True), field("is", kw_only=True)]
    registry = snapshot(types={"a.O": kind("ffi.Object", *members, init=True)})
    filled = fill(text, registry)
    assert "def __init__(self, to: int, _1: int, _2: int, /, *, x: int, **_: Any) -> None: ..." in filled
    assert at_run_time in filled
    members = [field("from"), method("__ffi_init__", "int", static=True)]
    filled = fill(text, snapshot(types={"a.O": kind("ffi.Object", *members, init=True)}))
    assert "def __init__(self, _0: int, /) -> None: ..." in filled
    assert at_run_time in filled
    child = fill(
        text,
        snapshot(
            types={"a.P": kind("ffi.Object", field("from"), init=True), "a.O": kind("a.P", field("x"), init=True)}
        ),
    )
    assert at_run_time in child
    own = f"{text}\n    def __init__(self) -> None: ...\n"
    assert "else:" not in fill(own, registry)
    assert "else:" not in fill(text, snapshot(types={"a.O": kind("ffi.Object", field("x"), init=True)}))


def test_a_class_that_the_runtime_could_not_register_is_left_out() -> None:
    result = begin(snapshot(types={"my_ext.A": kind("ffi.Object", field("__dict__")), "my_ext.B": kind()}))
    assert "my_ext.A is left out: Python gives the name of its field __dict__ another meaning" in result.notes
    assert "class A(" not in result.texts[Path("python/my_ext/_ffi_api.py")]


def test_a_class_that_inherits_from_a_built_in_one_gets_no_constructor() -> None:
    """As ``tvm_ffi.Shape``, a tuple, which ``__new__`` makes."""
    registry = snapshot(types={"a.Shape": kind("ffi.Object", method("f", "a.Shape"))})
    for head in ("class Shape(tuple, Base):", "class Shape(Base):\n    def __new__(cls) -> None: ..."):
        filled = fill(f"{SECTION}{head}\n{block('object/a.Shape', '    ')}", registry)
        assert "__init__" not in filled
        assert "def f(self, /) -> int: ..." in filled
    assert "    ...\n" in fill(
        f"class Shape(tuple):\n{block('object/a.Shape', '    ')}", snapshot(types={"a.Shape": kind()})
    )


# ---- What the file has itself ------------------------------------------------------------------------------------

OWN = '''"""Mine."""

import tvm_ffi


@tvm_ffi.register_object("my_ext.Pair")
class Pair(tvm_ffi.Object):
    def method(self) -> int:
        return 1


def f() -> int:
    return 1
'''


@pytest.mark.parametrize("home", ["__init__.py", "pairs.py"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ('@tvm_ffi.register_object("my_ext.Pair")\n', ""),
        ("\n\ndef f() -> int", '\n\ntvm_ffi.register_object("my_ext.Pair")(Pair)\n\n\ndef f() -> int'),
        ("\n\ndef f() -> int", '\n\ntvm_ffi.register_object("my_ext.Pair", Pair)\n\n\ndef f() -> int'),
    ],
)
def test_a_class_that_is_registered_by_hand_stays_the_class(home: str, before: str, after: str) -> None:
    is_registered = bool(after) or not before
    own = OWN.replace('@tvm_ffi.register_object("my_ext.Pair")\n', "") if after else OWN
    own = own.replace(before, after)
    texts = {Path("python/my_ext/__init__.py"): "", Path("python/my_ext", home): own}
    types = {"my_ext.Pair": kind("ffi.Object"), "my_ext.Child": kind("my_ext.Pair")}
    result = begin(snapshot({"my_ext.f": function("my_ext.Pair"), "my_ext.g": function()}, types), texts)
    api = result.texts[Path("python/my_ext/_ffi_api.py")]
    assert ("class Pair(" in api) is not is_registered
    if is_registered:
        module = "my_ext" if home == "__init__.py" else "my_ext.pairs"
        assert f"from {module} import Pair\n" in api
        assert "class Child(Pair):" in api
    initial = result.texts[Path("python/my_ext/__init__.py")]
    if home == "__init__.py":
        assert initial.startswith(own)
        assert re.search(r"from \._ffi_api import \(\n    LIB,\n    Child,\n    g,\n\)", initial)
        line = own[: own.index("def f(")].count("\n") + 1
        assert (
            f"python/my_ext/__init__.py:{own.count(chr(10)) + 2}: f of _ffi_api is not imported: "
            f"line {line} defines that name"
        ) in result.notes


def test_functions_that_the_file_defines_itself_are_left_to_it() -> None:
    text = f"def f() -> str: ...\n{SECTION}{block('global/a')}def g() -> str: ...\n"
    result = generate({Path("f.py"): text}, snapshot({"a.f": function(), "a.g": function(), "a.h": function()}))
    assert re.findall(r"^    def (\w+)", result.texts[Path("f.py")], re.MULTILINE) == ["h"]
    replaced = "which the function replaces at run time; move the block above it"
    assert result.notes == [
        f"f.py:4: a.f is left out: line 1 defines that name, {replaced}",
        "f.py:4: a.g is left out: line 6 defines that name",
    ]


def test_names_that_a_package_imports_itself_may_be_exported_too() -> None:
    texts = {Path("python/my_ext/__init__.py"): f"from ._ffi_api import f\n{block('export/_ffi_api')}"}
    result = begin(snapshot({"my_ext.f": function(), "my_ext.g": function()}, **LOADED), texts)
    assert "from ._ffi_api import (\n    LIB,\n    f,\n    g,\n)" in result.texts[Path("python/my_ext/__init__.py")]
    assert result.notes == []


def test_the_classes_of_a_prefix_go_with_their_types() -> None:
    head = "# tvm-ffi-stubgen(prefix): a\n"
    before = generate({Path("f.py"): head}, snapshot(types={"a.A": kind(), "a.B": kind("a.A"), "a.C": kind()})).texts
    result = generate(before, snapshot(types={"a.C": kind()}))
    assert re.findall(r"^class (\w+)\((\w+)\):", result.texts[Path("f.py")], re.MULTILINE) == [("C", "_ffi_Object")]
    assert [re.sub(r":\d+:", "", note) for note in result.notes] == [
        f"f.py the class of a.{name} is taken out: the type is no longer registered" for name in "AB"
    ]
    assert "register_object" in result.texts[Path("f.py")]


def test_the_block_of_a_type_that_is_gone_is_taken_out_of_a_class_that_has_more() -> None:
    text = f"# tvm-ffi-stubgen(prefix): a\nclass A(B):\n{block('object/a.A', '    ')}    x = 1\n"
    assert fill(text, snapshot()) == "# tvm-ffi-stubgen(prefix): a\nclass A(B):\n    x = 1\n"
    # Without the prefix, the file says itself what it is to have.
    with pytest.raises(StubError, match=r"f\.py:2: no type is registered as a\.A"):
        fill(text.partition("\n")[2], snapshot())


def test_a_package_that_was_begun_loses_the_classes_whose_types_are_gone() -> None:
    before = begin(snapshot({"my_ext.f": function()}, {"my_ext.A": kind(), "my_ext.B": kind()})).texts
    later = begin(snapshot({"my_ext.f": function()}, {"my_ext.B": kind()}), before).texts
    api = later[Path("python/my_ext/_ffi_api.py")]
    assert re.findall(r"^class (\w+)", api, re.MULTILINE) == ["B"]
    assert '"A"' not in later[Path("python/my_ext/__init__.py")]


def test_a_second_import_section_is_left_empty() -> None:
    filled = fill(SECTION + "x = 1\n" + SECTION + block("global/a"), snapshot({"a.f": function("ffi.Any")}))
    assert filled.count("from __future__ import annotations\n") == 1
    assert f"x = 1\n{SECTION}" in filled


@given(st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True).filter(is_plain_name), unique=True))
def test_numbers_in_names_count_and_constants_come_first(given_names: list[str]) -> None:
    ordered = sorted(given_names, key=sort_key)
    groups = [0 if len(name) > 1 and name.isupper() else 1 if name[0].isupper() else 2 for name in ordered]
    assert groups == sorted(groups)


def test_names_are_sorted_as_ruff_sorts_them(tmp_path: Path) -> None:
    registered = (
        "Zed a10 a2 B_C B2 B10 LIBX KIT Abc ABc aB _p A a Z9 z09 z9 z010 Z_1 x_y X T1 T1a LIB v1b v01a v1a _X _Xy"
    )
    registry = snapshot({f"a.{name}": function() for name in registered.split() if name != "LIB"})
    text = f"{SECTION}{block('global/a')}LIB = 1\n__all__ = [\n{block('__all__', '    ')}]\n"
    listed = re.findall(r'^    "(\w+)",$', fill(text, registry), re.MULTILINE)
    assert sorted(listed) == sorted(registered.split())
    (tmp_path / "f.py").write_text(f"__all__ = {listed}\n".replace("'", '"'), encoding="utf-8")
    run(sys.executable, "-m", "ruff", "check", "--isolated", "--preview", "--select", "RUF022", tmp_path / "f.py")


# ---- Signatures that are written by hand ---------------------------------------------------------------------------


def test_a_signature_under_type_checking_is_kept_and_the_function_stays() -> None:
    by_hand = "if TYPE_CHECKING:\n    def f(x: Special) -> Special: ...\n"
    listed = f"__all__ = [\n{block('__all__', '    ')}]\n"
    registry = snapshot({"a.f": function("int"), "a.g": function("int")})
    for text in (f"{SECTION}{by_hand}{block('global/a')}{listed}", f"{SECTION}{block('global/a')}{by_hand}{listed}"):
        result = generate({Path("f.py"): text}, registry)
        filled = result.texts[Path("f.py")]
        assert result.notes == []
        assert re.findall(r"def (\w+)\((\w+)", filled).count(("f", "x")) == 1
        assert re.findall(r"def (\w+)\(", filled).count("f") == 1
        assert "def g(_0: int, /) -> int: ..." in filled
        assert '    "f",\n    "g",\n' in filled


def test_signatures_of_a_stub_file_and_of_a_class_are_kept() -> None:
    filled = fill(
        f"def f(x: str) -> str: ...\n{SECTION}{block('global/a')}", snapshot({"a.f": function("int")}), "f.pyi"
    )
    assert filled.count("def f(") == 1
    head = "class Pair:\n    if TYPE_CHECKING:\n        def sum(self, more: Special, /) -> int: ...\n"
    filled = fill(f"{SECTION}{head}{block('object/a.Pair', '    ')}", snapshot(types=PAIR))
    assert filled.count("def sum(") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"if TYPE_CHECKING:\n    def f(x: int, y: int) -> int: ...\n{SECTION}{block('global/a')}",
            r"f\.py:2: f has 2 parameters here, but the registered function takes 1; correct the definition, or delete",
        ),
        (
            f"{SECTION}class Pair:\n    if TYPE_CHECKING:\n        def sum(self) -> int: ...\n"
            + block("object/a.Pair", "    "),
            r"f\.py:5: sum has 0 parameters here, but the registered function takes 1",
        ),
        (f"if TYPE_CHECKING:\n    def f(*args: int) -> int: ...\n{SECTION}{block('global/a')}", None),
        (f"if TYPE_CHECKING:\n    def f(*, x: int) -> int: ...\n{SECTION}{block('global/a')}", None),
    ],
)
def test_a_signature_by_hand_has_to_have_as_many_parameters(text: str, message: str | None) -> None:
    registry = snapshot({"a.f": function("int")}, PAIR)
    if message is None:
        assert fill(text, registry).count("def f(") == 1
    else:
        with pytest.raises(StubError, match=message):
            generate({Path("f.py"): text}, registry)


@pytest.mark.parametrize("decorator", ["c_class", "dataclasses.c_class"])
def test_a_class_that_the_runtime_asks_for_annotations_has_them_at_run_time(decorator: str) -> None:
    """Read-only fields are properties for type checkers, and the decorator warns of fields without an annotation."""
    members = [field("x"), field("y", "ffi.String", frozen=True)]
    registry = snapshot(types={"a.O": kind("ffi.Object", *members, init=True)})
    text = f'@{decorator}("a.O")\nclass O:\n{block("object/a.O", "    ")}'
    assert "    else:\n        y: str\n" in fill(SECTION + text, registry)
    assert '    else:\n        x: "int"\n        y: "str"\n' in fill(
        f"from typing import TYPE_CHECKING\n{text}", registry
    )
    assert "else:" not in fill(f"{SECTION}class O:\n{block('object/a.O', '    ')}", registry)
