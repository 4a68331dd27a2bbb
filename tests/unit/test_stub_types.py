"""Type schemas as Python types, and what docs say of parameters."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tvm_ffi_build.stubgen.fill.docstrings import find_parameter_names, render_docstring
from tvm_ffi_build.stubgen.fill.imports import NamesInFile, parse_type_name
from tvm_ffi_build.stubgen.registry.schema import SchemaError, Types, parse_schema


def T(origin: str, *args: Any, **parse_type_name: Any) -> dict[str, Any]:  # noqa: N802
    return {
        "type": origin,
        **({"args": list(args)} if args else {}),
        **({"named_args": parse_type_name} if parse_type_name else {}),
    }


INT, STR = T("int"), T("ffi.String")


def text(schema: object, *, taken: bool, **mapped: str) -> str:
    names = NamesInFile(taken=frozenset(), provided={}, class_of=lambda key: key.rpartition(".")[2])
    types = Types({left: parse_type_name(right) for left, right in mapped.items()})
    return names.text(types.annotation(parse_schema(schema), taken=taken))


@pytest.mark.parametrize(
    ("schema", "returned", "taken"),
    [
        (INT, "int", "int"),
        (T("None"), "None", "None"),
        (T("Any"), "Any", "Any"),
        (T("const char*"), "str", "str"),
        (T("ffi.Bytes"), "bytes", "bytes | bytearray"),
        (T("Device"), "Device", "Device | str"),
        (T("DataType"), "dtype", "dtype | str"),
        (T("ffi.Tensor"), "Tensor", "Tensor | SupportsDLPack"),
        (T("DLTensor*"), "Tensor", "Tensor | SupportsDLPack"),
        (T("ffi.BigInt"), "int", "int"),
        (T("a.b.C"), "C", "C"),
        (T("Optional", INT), "int | None", "int | None"),
        (T("std::optional", T("Optional", STR)), "str | None", "str | None"),
        (T("Variant", T("None"), INT, T("Optional", STR), INT), "int | str | None", "int | str | None"),
        (T("Variant", INT, T("Any")), "Any", "Any"),
        (T("ffi.Array", INT), "Sequence[int]", "Sequence[int]"),
        (T("ffi.Array"), "Sequence[Any]", "Sequence[Any]"),
        (T("ffi.List", INT), "MutableSequence[int]", "Sequence[int]"),
        (T("ffi.Map", STR, T("ffi.List", INT)), "Mapping[str, MutableSequence[int]]", "Mapping[str, Sequence[int]]"),
        (T("ffi.Dict", STR, INT), "MutableMapping[str, int]", "Mapping[str, int]"),
        (T("std::array", INT, 3), "Sequence[int]", "Sequence[int]"),
        (T("Tuple", INT, STR), "tuple[int, str]", "tuple[int, str]"),
        (T("Tuple"), "tuple[()]", "tuple[()]"),
        (T("tuple"), "tuple[Any, ...]", "tuple[Any, ...]"),
        (T("tuple") | {"args": []}, "tuple[()]", "tuple[()]"),
        # As classes that are defined in Python are registered.
        (
            T("Dict", T("str"), T("List", T("Tensor"))),
            "MutableMapping[str, MutableSequence[Tensor]]",
            "Mapping[str, Sequence[Tensor | SupportsDLPack]]",
        ),
        (
            T("Union", T("dict"), T("list"), T("Object")),
            "MutableMapping[Any, Any] | MutableSequence[Any] | Object",
            "Mapping[Any, Any] | Sequence[Any] | Object",
        ),
        (
            T("Callable", **{"return": [T("Array", INT)]}),
            "Callable[..., Sequence[int]]",
            "Callable[..., Sequence[int]]",
        ),
        (T("ffi.Function"), "Callable[..., Any]", "Callable[..., Any]"),
        # What a callback is given is returned, what it returns is taken.
        (
            T("ffi.Function", **{"return": [T("ffi.Tensor")], "params": [T("ffi.Tensor")]}),
            "Callable[[Tensor | SupportsDLPack], Tensor]",
            "Callable[[Tensor], Tensor | SupportsDLPack]",
        ),
        (T("std::function", **{"return": [T("None")], "params": []}), "Callable[[], None]", "Callable[[], None]"),
        # As runtimes before 0.1.15 write it.
        (T("ffi.Function", STR, INT), "Callable[[int], str]", "Callable[[int], str]"),
        (T("Expected", INT, T("ffi.Error")), "int", "int"),
        (T("ObjectRValueRef", T("a.C")), "C", "C"),
        (T("void*"), "c_void_p", "c_void_p"),
    ],
)
def test_what_is_returned_and_what_is_taken(schema: object, returned: str, taken: str) -> None:
    assert text(schema, taken=False) == returned
    assert text(json.dumps(schema), taken=True) == taken


@pytest.mark.parametrize(
    ("schema", "mapped", "returned", "taken"),
    [
        # By the one name for all spellings, and written as it is.
        (T("ffi.Array", STR), {"Array": "list"}, "list[str]", "list[str]"),
        (T("std::vector"), {"Array": "list"}, "list[Any]", "list[Any]"),
        (T("DLTensor*"), {"Tensor": "torch.Tensor"}, "Tensor", "Tensor"),
        (T("const char*"), {"str": "a.Text"}, "Text", "Text"),
        (T("ffi.Map"), {"Any": "object"}, "Mapping[object, object]", "Mapping[object, object]"),
        (
            T("Optional", T("Variant", INT, STR)),
            {"Union": "a.Either"},
            "Either[int, str] | None",
            "Either[int, str] | None",
        ),
        (T("Optional", INT), {"Optional": "a.Maybe"}, "Maybe[int]", "Maybe[int]"),
        (T("ffi.Function", **{"return": [INT], "params": [INT]}), {"Callable": "a.Call"}, "Call", "Call"),
        (T("Expected", INT, STR), {"Expected": "a.Result"}, "Result[int, str]", "Result[int, str]"),
        # A class of the same file.
        (T("Device"), {"Device": "Place"}, "Place", "Place"),
        # Other spellings are no names.
        (T("ffi.Array", STR), {"ffi.Array": "list"}, "Sequence[str]", "Sequence[str]"),
        # What it is anyway changes nothing.
        (T("ffi.List", INT), {"List": "collections.abc.MutableSequence"}, "MutableSequence[int]", "Sequence[int]"),
        (
            T("ffi.Function", **{"return": [INT], "params": []}),
            {"Callable": "typing.Callable"},
            "Callable[[], int]",
            "Callable[[], int]",
        ),
        (T("Tuple"), {"tuple": "tuple"}, "tuple[()]", "tuple[()]"),
    ],
)
def test_what_is_mapped(schema: object, mapped: dict[str, str], returned: str, taken: str) -> None:
    assert text(schema, taken=False, **mapped) == returned
    assert text(schema, taken=True, **mapped) == taken


SCHEMAS = st.recursive(
    st.sampled_from(["int", "None", "Any", "ffi.Tensor", "a.b.C", "ffi.Function", "Tuple"]).map(T),
    lambda inner: st.builds(
        T,
        st.sampled_from(["Optional", "Variant", "ffi.Array", "ffi.Map", "Tuple", "ffi.List", "Expected"]),
        inner,
        inner,
    ),
)


@given(SCHEMAS, st.booleans())
def test_every_type_is_an_expression(schema: object, taken: bool) -> None:
    ast.parse(text(schema, taken=taken), mode="eval")


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[]",
        '{"args": []}',
        '{"type": 1}',
        '{"type": "a", "args": 1}',
        '{"type": ""}',
        '{"type": "ffi.Function", "named_args": 1}',
        "[" * 9999,
    ],
)
def test_what_is_no_schema(raw: str) -> None:
    with pytest.raises(SchemaError, match="a type schema"):
        parse_schema(raw)


def test_a_schema_that_is_nested_without_end() -> None:
    raw: dict[str, Any] = INT
    for _ in range(51):
        raw = T("Optional", raw)
    with pytest.raises(SchemaError, match="nested too deeply"):
        parse_schema(raw)


def test_the_deepest_schema_is_an_expression() -> None:
    raw: dict[str, Any] = INT
    for _ in range(50):
        raw = T("ffi.Function", **{"return": [INT], "params": [raw]})
    compile(f"def f(x: {text(raw, taken=True)}): ...", "f.py", "exec")


@pytest.mark.parametrize(
    ("doc", "names"),
    [
        ("Adds.\n\n\\param x One.\n@param[in] y\tOther.\n\\return Both.", ["x", "y"]),
        (
            "Adds.\n\nArgs:\n    x: One\n        that is long.\n    y (int, optional): Other.\n\nReturns:\n    Both.",
            ["x", "y"],
        ),
        ("Adds.\n\nParameters\n----------\nx : int\n    One.\ny\n    Other.\n\nReturns\n-------\nz : int", ["x", "y"]),
        ("Adds.\n\nParameters\n----------\nx\ny\nAnd so on.", ["x", "y"]),
        ("Adds.\n\nArgs:\n    x: One.\n    no entry\n    y: Other.", None),
        ("    Indented.\n\n    Args:\n        x: One.\n        y: Other.\n    ", ["x", "y"]),
        ("\\param x One.", None),
        ("\\param x One.\n\\param x Other.", None),
        ("\\param x One.\n\\param class Other.", None),
        ("Args:\n    no entry", None),
        ("", None),
    ],
)
def test_names_of_two_parameters(doc: str, names: list[str] | None) -> None:
    assert find_parameter_names(doc, 2) == names


@given(st.text(max_size=60))
@example("0\r\x0c0")
def test_any_doc_is_a_docstring(doc: str) -> None:
    lines = render_docstring(doc, "    ")
    tree = ast.parse("\n".join(["def f():", *lines, "    ..."]))
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    assert bool(lines) == (ast.get_docstring(function, clean=False) is not None)
    # Once more it says the same.
    said = ast.get_docstring(function) or ""
    assert render_docstring(said, "    ") == lines
