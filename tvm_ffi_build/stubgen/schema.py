"""Type schemas of the registry, and the Python types that they stand for.

A function takes more than it gives: a tensor is returned as ``tvm_ffi.Tensor``, and whatever speaks DLPack may be
passed; a list is returned as a mutable sequence, and any sequence may be passed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

__all__ = ["ANY", "Annotation", "Name", "Schema", "SchemaError", "annotation", "parse_schema"]


class SchemaError(ValueError):
    """A type schema that is none."""


@dataclass(frozen=True)
class Schema:
    """One type of the registry.

    Attributes:
        origin: What it is: ``int``, ``ffi.Array``, ``Optional``, a type key, ...
        args: Its arguments.
        params: For a function, its parameters; None where they are not known.
        returns: For a function, what it returns; None where that is not known.

    """

    origin: str
    args: tuple[Schema, ...] = ()
    params: tuple[Schema, ...] | None = None
    returns: Schema | None = None


@dataclass(frozen=True)
class Name:
    """A name in an annotation.

    Attributes:
        module: Where it is imported from: ``builtins``, ``typing``, ``tvm_ffi``, ...
        name: The name there.
        type_key: The registered type that it stands for, where it is one.

    """

    module: str
    name: str
    type_key: str | None = None


# A Python type: its names, and the punctuation between them.
Annotation = tuple["Name | str", ...]

ANY = Name("typing", "Any")
NONE = Name("", "None")
_DLPACK = Name("", "SupportsDLPack")
_FUNCTIONS = {"ffi.Function", "std::function"}

_BUILTINS = {
    "int": "int",
    "ffi.BigInt": "int",
    "bool": "bool",
    "float": "float",
    "str": "str",
    "ffi.String": "str",
    "ffi.SmallStr": "str",
    "std::string": "str",
    "const char*": "str",
    "bytes": "bytes",
    "ffi.Bytes": "bytes",
    "ffi.SmallBytes": "bytes",
    "TVMFFIByteArray*": "bytes",
}

_NAMES = {
    "None": NONE,
    "Any": ANY,
    "ffi.Any": ANY,
    "ffi.OpaquePyObject": ANY,
    "Device": Name("tvm_ffi", "Device"),
    "DataType": Name("tvm_ffi", "dtype"),
    "dtype": Name("tvm_ffi", "dtype"),
    "DLTensor*": Name("tvm_ffi", "Tensor"),
    "Object": Name("tvm_ffi", "Object"),
    "void*": Name("ctypes", "c_void_p"),
}

# What the runtime converts when it is passed, beside the type itself.
_ALSO_TAKEN: dict[str, tuple[Name | str, ...]] = {
    "Device": (Name("builtins", "str"),),
    "DataType": (Name("builtins", "str"),),
    "dtype": (Name("builtins", "str"),),
    "ffi.Tensor": (_DLPACK,),
    "DLTensor*": (_DLPACK,),
    "ffi.Bytes": (Name("builtins", "bytearray"),),
    "bytes": (Name("builtins", "bytearray"),),
}

# Generic containers: what they are given back as, and as what they may be passed.
_CONTAINERS = {
    "ffi.Array": ("Sequence", "Sequence"),
    "std::vector": ("Sequence", "Sequence"),
    "std::array": ("Sequence", "Sequence"),
    "ffi.List": ("MutableSequence", "Sequence"),
    "ffi.Map": ("Mapping", "Mapping"),
    "std::map": ("Mapping", "Mapping"),
    "std::unordered_map": ("Mapping", "Mapping"),
    "ffi.Dict": ("MutableMapping", "Mapping"),
}
_MAPPINGS = {"ffi.Map", "ffi.Dict", "std::map", "std::unordered_map"}


def parse_schema(raw: object, *, depth: int = 0) -> Schema:
    """Read a schema as the registry has it, JSON or the objects of it.

    >>> parse_schema('{"type": "Optional", "args": [{"type": "int"}]}').args[0].origin
    'int'

    Raises:
        SchemaError: It is none.

    """
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raise SchemaError("a type schema that is no JSON") from None
    if depth > 100:
        raise SchemaError("a type schema that is nested too deeply")
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str) or not raw["type"]:
        raise SchemaError("a type schema without a type")
    origin = raw["type"]
    args = _parse_all(raw.get("args", []), depth)
    if origin not in _FUNCTIONS:
        return Schema(origin, args)
    named = raw.get("named_args", {})
    if not isinstance(named, dict):
        raise SchemaError("a type schema whose named_args are no table")
    if not named:
        # As runtimes before 0.1.15 write it: what is returned, then the parameters.
        return Schema(origin, (), args[1:] if args else None, args[0] if args else None)
    returns = _parse_all(named.get("return", []), depth)
    params = _parse_all(named["params"], depth) if "params" in named else None
    return Schema(origin, (), params, returns[0] if returns else None)


def _parse_all(raw: object, depth: int) -> tuple[Schema, ...]:
    if not isinstance(raw, list):
        raise SchemaError("a type schema whose arguments are no list")
    # The size of a std::array is a number.
    return tuple(parse_schema(item, depth=depth + 1) for item in raw if not isinstance(item, int))


def annotation(schema: Schema | None, *, taken: bool) -> Annotation:
    """Return the Python type.

    Args:
        schema: A type of the registry, or None where it is not known.
        taken: For a value that Python passes to C++, not for one that it gets back.

    """
    if schema is None:
        return (ANY,)
    parts = _union_of(schema, taken)
    return _joined(parts)


def _joined(parts: list[Annotation]) -> Annotation:
    # None last, as one reads it; what comes twice, once.
    unique = list(dict.fromkeys(parts))
    if (ANY,) in unique:
        return (ANY,)
    unique.sort(key=lambda part: part == (NONE,))
    joined: list[Name | str] = []
    for part in unique:
        joined += [*([" | "] if joined else []), *part]
    return tuple(joined)


def _union_of(schema: Schema, taken: bool) -> list[Annotation]:  # noqa: PLR0911  (a case each)
    """Return the members of the union that a schema stands for; most have one."""
    origin, args = schema.origin, schema.args
    if origin in {"Optional", "std::optional"}:
        return [*_member(args, 0, taken), (NONE,)]
    if origin in {"Variant", "Union", "std::variant"}:
        return [part for arg in args for part in _union_of(arg, taken)] or [(ANY,)]
    if origin in {"ObjectRValueRef", "Expected", "UnchangedOr"}:
        # A moved object is an object; the error of an Expected is raised.
        return _member(args, 0, taken) if args else [(_NAMES["Object"],)]
    if origin in _FUNCTIONS:
        return [_callable(schema, taken)]
    if origin in _CONTAINERS:
        return [_container(schema, taken)]
    if origin in {"Tuple", "tuple", "std::tuple"}:
        tuple_name = Name("builtins", "tuple")
        if not args:
            return [(tuple_name, "[", ANY, ", ...]")] if origin == "tuple" else [(tuple_name, "[()]")]
        return [(tuple_name, "[", *_list(args, taken), "]")]
    if origin in _BUILTINS:
        return [(Name("builtins", _BUILTINS[origin]),), *((name,) for name in _also(origin, taken))]
    if origin in _NAMES:
        return [(_NAMES[origin],), *((name,) for name in _also(origin, taken))]
    module, _, name = origin.rpartition(".")
    return [(Name(module, name, type_key=origin),), *((also,) for also in _also(origin, taken))]


def _also(origin: str, taken: bool) -> tuple[Name | str, ...]:
    return _ALSO_TAKEN.get(origin, ()) if taken else ()


def _member(args: tuple[Schema, ...], number: int, taken: bool) -> list[Annotation]:
    return _union_of(args[number], taken) if len(args) > number else [(ANY,)]


def _list(args: tuple[Schema, ...], taken: bool) -> Annotation:
    listed: list[Name | str] = []
    for arg in args:
        listed += [*([", "] if listed else []), *annotation(arg, taken=taken)]
    return tuple(listed)


def _container(schema: Schema, taken: bool) -> Annotation:
    name = Name("collections.abc", _CONTAINERS[schema.origin][taken])
    wanted = 2 if schema.origin in _MAPPINGS else 1
    args: list[Name | str] = []
    for number in range(wanted):
        args += [*([", "] if args else []), *_joined(_member(schema.args, number, taken))]
    return (name, "[", *args, "]")


def _callable(schema: Schema, taken: bool) -> Annotation:
    name = Name("collections.abc", "Callable")
    returns = annotation(schema.returns, taken=taken)
    if schema.params is None:
        return (name, "[..., ", *returns, "]")
    # What is passed to a function that is passed is given to Python, and the other way round.
    return (name, "[[", *_list(schema.params, not taken), "], ", *returns, "]")
