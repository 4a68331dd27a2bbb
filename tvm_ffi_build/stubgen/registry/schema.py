"""Type schemas of the registry, and the Python types that they stand for.

A function takes more than it gives: a tensor is returned as ``tvm_ffi.Tensor``, and whatever speaks DLPack may be
passed; a list is returned as a mutable sequence, and any sequence may be passed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANY", "NONE", "Annotation", "Name", "Schema", "SchemaError", "Types", "parse_schema"]


class SchemaError(ValueError):
    """A type schema that is none."""


@dataclass(frozen=True)
class Schema:
    """One type of the registry.

    Attributes:
        origin: What it is: ``int``, ``Array``, ``Optional``, ..., by the name that stands for all spellings of the
            registry, or a type key.
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

# C++ and Python register the same type by different names; these are those that the directive ty-map takes.
_SPELLINGS = {
    "int": ("ffi.BigInt",),
    "str": ("ffi.String", "ffi.SmallStr", "std::string", "const char*"),
    "bytes": ("ffi.Bytes", "ffi.SmallBytes", "TVMFFIByteArray*"),
    "Any": ("ffi.Any", "ffi.OpaquePyObject"),
    "dtype": ("DataType",),
    "Object": ("ffi.Object",),
    "Tensor": ("ffi.Tensor", "DLTensor*"),
    "ctypes.c_void_p": ("void*",),
    "Callable": ("ffi.Function", "std::function"),
    "Array": ("ffi.Array", "std::vector"),
    "List": ("ffi.List",),
    "Map": ("ffi.Map", "std::map", "std::unordered_map"),
    "Dict": ("ffi.Dict",),
    "Optional": ("std::optional",),
    "Union": ("Variant", "std::variant"),
    "tuple": ("Tuple", "std::tuple"),
}
_ORIGINS = {spelling: origin for origin, spellings in _SPELLINGS.items() for spelling in spellings}

_NAMES = {
    **{name: Name("builtins", name) for name in ("int", "bool", "float", "str", "bytes")},
    "None": NONE,
    "Any": ANY,
    "Device": Name("tvm_ffi", "Device"),
    "dtype": Name("tvm_ffi", "dtype"),
    "Tensor": Name("tvm_ffi", "Tensor", type_key="ffi.Tensor"),
    "Object": Name("tvm_ffi", "Object", type_key="ffi.Object"),
    "ctypes.c_void_p": Name("ctypes", "c_void_p"),
}

# What the runtime converts when it is passed, beside the type itself.
_ALSO_TAKEN = {
    "Device": Name("builtins", "str"),
    "dtype": Name("builtins", "str"),
    "Tensor": _DLPACK,
    "bytes": Name("builtins", "bytearray"),
}

_SEQUENCE, _MAPPING = Name("collections.abc", "Sequence"), Name("collections.abc", "Mapping")
_MUTABLE_SEQUENCE = Name("collections.abc", "MutableSequence")
_MUTABLE_MAPPING = Name("collections.abc", "MutableMapping")

# Generic containers: what they are given back as, and as what they may be passed.
_CONTAINERS = {
    "Array": (_SEQUENCE, _SEQUENCE),
    "std::array": (_SEQUENCE, _SEQUENCE),
    "List": (_MUTABLE_SEQUENCE, _SEQUENCE),
    "list": (_MUTABLE_SEQUENCE, _SEQUENCE),
    "Map": (_MAPPING, _MAPPING),
    "Dict": (_MUTABLE_MAPPING, _MAPPING),
    "dict": (_MUTABLE_MAPPING, _MAPPING),
}
# How many arguments there are; those that are not told may be anything.
_ARITY = {"Optional": 1, "Array": 1, "std::array": 1, "List": 1, "list": 1, "Map": 2, "Dict": 2, "dict": 2}
# Where Python sees what is inside: a moved object is an object, the error of an Expected is raised.
_WRAPPERS = {"ObjectRValueRef", "Expected", "UnchangedOr"}
# Python's parser gives up at 200 brackets, of which a function has two.
_DEEPEST = 50
# What is written in a way of its own, whichever module its name comes from.
_FORMS = {"Callable", "Optional", "Union", "tuple"}


def parse_schema(raw: object, *, depth: int = 0) -> Schema:
    """Read a schema as the registry has it, JSON or the objects of it.

    >>> parse_schema('{"type": "Optional", "args": [{"type": "ffi.String"}]}').args[0].origin
    'str'

    Raises:
        SchemaError: It is none.

    """
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raise SchemaError("a type schema that is not JSON") from None
    if depth > _DEEPEST:
        raise SchemaError("a type schema that is nested too deeply")
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str) or not raw["type"]:
        raise SchemaError("a type schema without a type")
    spelling: str = raw["type"]
    origin = _ORIGINS.get(spelling, spelling)
    args = _parse_all(raw.get("args", []), depth)
    if origin in _ARITY:
        args = (args + (Schema("Any"),) * 2)[: _ARITY[origin]]
    if spelling == "tuple" and "args" not in raw:
        # Python's, of which nothing is told.
        args = (Schema("Any"), Schema("..."))
    if origin != "Callable":
        return Schema(origin, args)
    named = raw.get("named_args", {})
    if not isinstance(named, dict):
        raise SchemaError("a type schema whose named_args are not a table")
    if not named:
        # As runtimes before 0.1.15 write it: what is returned, then the parameters.
        return Schema(origin, (), args[1:] if args else None, args[0] if args else None)
    returns = _parse_all(named.get("return", []), depth)
    params = _parse_all(named["params"], depth) if "params" in named else None
    return Schema(origin, (), params, returns[0] if returns else None)


def _parse_all(raw: object, depth: int) -> tuple[Schema, ...]:
    if not isinstance(raw, list):
        raise SchemaError("a type schema whose arguments are not a list")
    # The size of a std::array is a number.
    return tuple(parse_schema(item, depth=depth + 1) for item in raw if not isinstance(item, int))


@dataclass(frozen=True)
class Types:
    """The Python types that schemas stand for.

    Attributes:
        mapped: What is to be written for an origin, as it is, whether passed or returned.

    """

    mapped: Mapping[str, Name] = field(default_factory=dict)

    def annotation(self, schema: Schema | None, *, taken: bool) -> Annotation:
        """Return the Python type.

        Args:
            schema: A type of the registry, or None where it is not known.
            taken: For a value that Python passes to C++, not for one that it gets back.

        """
        return _join_types(self._list_union(schema, taken)) if schema is not None else (ANY,)

    def _list_union(self, schema: Schema, taken: bool) -> list[Annotation]:  # noqa: PLR0911  (a case each)
        """Return the members of the union that a schema stands for; most have one."""
        origin, args = schema.origin, schema.args
        mapped = self.mapped.get(origin)
        if mapped is not None and not _is_usual(mapped, origin):
            return [self._parse_generic(mapped, args, taken) if args else (mapped,)]
        if origin == "Optional":
            return [*self._list_union(args[0], taken), (NONE,)]
        if origin == "Union":
            return [part for arg in args for part in self._list_union(arg, taken)] or [(ANY,)]
        if origin in _WRAPPERS:
            return self._list_union(args[0] if args else Schema("Object"), taken)
        if origin == "Callable":
            return [self._callable(schema, taken)]
        if origin in _CONTAINERS:
            return [self._parse_generic(_CONTAINERS[origin][taken], args, taken)]
        if origin == "tuple":
            return [self._parse_generic(Name("builtins", "tuple"), args, taken)]
        if origin == "...":
            return [(origin,)]
        module, _, last = origin.rpartition(".")
        name = _NAMES.get(origin, Name(module, last, type_key=origin))
        return [(name,), *([(_ALSO_TAKEN[origin],)] if taken and origin in _ALSO_TAKEN else [])]

    def _parse_generic(self, name: Name, args: tuple[Schema, ...], taken: bool) -> Annotation:
        return (name, "[", *(self._list(args, taken) or ("()",)), "]")

    def _callable(self, schema: Schema, taken: bool) -> Annotation:
        name = Name("collections.abc", "Callable")
        returns = self.annotation(schema.returns, taken=taken)
        if schema.params is None:
            return (name, "[..., ", *returns, "]")
        # What is passed to a function that is passed is given to Python, and the other way round.
        return (name, "[[", *self._list(schema.params, not taken), "], ", *returns, "]")

    def _list(self, args: tuple[Schema, ...], taken: bool) -> Annotation:
        listed: list[Name | str] = []
        for arg in args:
            listed += [*([", "] if listed else []), *self.annotation(arg, taken=taken)]
        return tuple(listed)


def _is_usual(name: Name, origin: str) -> bool:
    """Say whether a name is what is meant anyway, so that there is more to know than the name."""
    if origin in _CONTAINERS:
        return name == _CONTAINERS[origin][0]
    return origin in _FORMS and name.name == origin


def _join_types(parts: list[Annotation]) -> Annotation:
    # None last, as one reads it; what comes twice, once.
    unique = list(dict.fromkeys(parts))
    if (ANY,) in unique:
        return (ANY,)
    unique.sort(key=lambda part: part == (NONE,))
    joined: list[Name | str] = []
    for part in unique:
        joined += [*([" | "] if joined else []), *part]
    return tuple(joined)
