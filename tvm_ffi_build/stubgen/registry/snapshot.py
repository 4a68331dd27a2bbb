"""A snapshot of the registry: what libraries have registered, as data that can be kept and compared."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import StubError
from .schema import SchemaError, parse_schema
from .signatures import split_docs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...binaries import Binary
    from .schema import Schema

__all__ = ["Field", "Function", "Snapshot", "Type", "exported_functions", "library_file_names", "read_snapshot"]

_FORMAT = 1
# Of ancestors; the runtime's own types have three at most.
_DEEPEST = 100
_SYMBOL = "__tvm_ffi_"
# What else the prefix is used for: the metadata and docs of a function, embedded device code.
_OTHER_SYMBOLS = ("__tvm_ffi__",)


@dataclass(frozen=True)
class Function:
    """A function.

    Attributes:
        name: Its registered name, or for a method or an exported symbol the plain one.
        schema: Its type, or None where that is not known.
        doc: What was registered to say about it.
        static: For a method: whether it takes no object.
        signature: The names, kinds and default values of its parameters, as Python writes them, or None.

    """

    name: str
    schema: Schema | None
    doc: str = ""
    static: bool = False
    signature: str | None = None


@dataclass(frozen=True)
class Field:
    """A field of a type.

    Attributes:
        name: Its name.
        schema: Its type, or None where that is not known.
        doc: What was registered to say about it.
        frozen: Whether it can only be read.
        init: Whether the generated constructor takes it.
        kw_only: Whether that takes it by name only.
        default: Its default as Python writes it, ``...`` if that cannot be said in short, None if there is none.

    """

    name: str
    schema: Schema | None
    doc: str = ""
    frozen: bool = False
    init: bool = True
    kw_only: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Type:
    """A type of objects.

    Attributes:
        key: Its type key.
        parent: The type key of what it inherits from.
        fields: Those that it declares itself.
        methods: Those that it declares itself.
        has_init: Whether Python can make an object of it.
        python: Where its Python class is imported from, if one was registered when the snapshot was taken.

    """

    key: str
    parent: str | None
    fields: tuple[Field, ...] = ()
    methods: tuple[Function, ...] = ()
    has_init: bool = False
    python: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """All that is registered.

    Attributes:
        runtime: Version of the runtime that it was taken with.
        functions: Global functions by name.
        types: Types by key.
        libraries: By file name, the functions that a library exports as C symbols.
        text: The JSON that it was read from.

    """

    runtime: str
    functions: Mapping[str, Function]
    types: Mapping[str, Type]
    libraries: Mapping[str, tuple[Function, ...]]
    text: str

    def exported_by(self, target: str) -> tuple[Function, ...]:
        """Return the functions that the library of a CMake target exports as C symbols."""
        return next((self.libraries[name] for name in library_file_names(target) if name in self.libraries), ())


def library_file_names(target: str) -> tuple[str, ...]:
    """Return the file names that the library of a CMake target may have."""
    return f"lib{target}.so", f"lib{target}.dylib", f"{target}.dll", f"{target}.so"


def read_snapshot(text: str, source: str) -> Snapshot:
    """Read a snapshot from its JSON.

    Args:
        text: The JSON.
        source: What to call it in an error.

    Raises:
        StubError: It is no snapshot.

    """
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("schema") != _FORMAT:
            raise StubError(f"{source} is not a snapshot of format {_FORMAT}", "make one: tvm-ffi-build stubgen --json")
        types = {key: _read_type(key, value) for key, value in sorted(data["types"].items())}
        _require_ends(types)
        return Snapshot(
            runtime=str(data["runtime"]),
            functions={name: _read_function(name, value) for name, value in sorted(data["functions"].items())},
            types=types,
            libraries={
                file: tuple(_read_function(name, value) for name, value in sorted(functions.items()))
                for file, functions in sorted(data["libraries"].items())
            },
            text=text,
        )
    except SchemaError as error:
        raise StubError(f"{source} has {error}", "make it again: tvm-ffi-build stubgen --json") from None
    except (ValueError, KeyError, TypeError, AttributeError, SyntaxError, MemoryError, RecursionError):
        raise StubError(f"{source} is damaged", "make it again: tvm-ffi-build stubgen --json") from None


def _require_ends(types: Mapping[str, Type]) -> None:
    """Check that what types inherit from has an end, and soon.

    Raises:
        ValueError: It has none.

    """
    for of in types.values():
        parent, depth = of.parent, 0
        while parent is not None and parent in types:
            parent, depth = types[parent].parent, depth + 1
            if depth > _DEEPEST:
                raise ValueError(of.key)


def _read_schema(value: Any) -> Schema | None:
    return None if value is None else parse_schema(value)


def _read_text(value: Any) -> str:
    """Return a text, or nothing for None.

    Raises:
        TypeError: It is something else.
        ValueError: No file in UTF-8 can hold it.

    """
    if value is not None and not isinstance(value, str):
        raise TypeError(value)
    (value or "").encode()
    return value or ""


def _read_default(value: Any) -> str | None:
    """Return a default as Python writes it: what is written into a file is a literal and nothing else.

    Raises:
        ValueError: It is none.

    """
    text = _read_text(value)
    if value is None or text == "...":
        return text or None
    if text in {"inf", "-inf", "nan"}:  # floats that have no literal
        return "..."
    return repr(ast.literal_eval(text))


def _read_function(name: str, value: Any) -> Function:
    in_docs, doc = split_docs(_read_text(value["doc"]))
    given = value.get("signature")
    return Function(
        name=_read_text(name),
        schema=_read_schema(value["type"]),
        doc=doc,
        static=bool(value.get("static", False)),
        signature=in_docs if given is None else _read_text(given),
    )


def _read_type(key: str, value: Any) -> Type:
    fields = tuple(
        Field(
            name=_read_text(field["name"]),
            schema=_read_schema(field["type"]),
            doc=_read_text(field["doc"]),
            frozen=bool(field["frozen"]),
            init=bool(field["init"]),
            kw_only=bool(field["kw_only"]),
            default=_read_default(field["default"]),
        )
        for field in value["fields"]
    )
    methods = tuple(_read_function(method["name"], method) for method in value["methods"])
    parent, python = _read_text(value["parent"]) or None, _read_text(value["python"]) or None
    return Type(_read_text(key), parent, fields, methods, bool(value["init"]), python)


def exported_functions(binary: Binary) -> list[str]:
    """Return the names of the functions that a library exports for the runtime."""
    return sorted(
        symbol[len(_SYMBOL) :]
        for symbol in binary.exported
        if symbol.startswith(_SYMBOL) and not symbol.startswith(_OTHER_SYMBOLS)
    )
