"""Compares a registered signature with the registered types."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from ..registry.schema import Name
from ..registry.signatures import BY_POSITION, SignatureError, parse_signature

if TYPE_CHECKING:
    from ..registry.schema import Schema, Types
    from ..registry.signatures import Parameter

__all__ = ["fit_signature", "has_defaults_or_keywords", "without_keywords"]

# Literals that the runtime converts to a registered type. Those of other types have no literal.
_LITERALS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "bool": (bool, int),
    "float": (float, int),
    "str": (str,),
    "bytes": (bytes,),
    "None": (type(None),),
    "dtype": (str,),
    "Device": (str,),
    "Array": (list, tuple),
    "List": (list, tuple),
    "tuple": (list, tuple),
    "Map": (dict,),
    "Dict": (dict,),
}


def fit_signature(text: str, schema: Schema | None, types: Types, *, is_method: bool) -> tuple[Parameter, ...]:
    """Return the parameters of a signature, without the object that a method takes.

    Args:
        text: The signature. ``self`` may be in it, or be implied.
        schema: The registered type, or None where it is not known.
        types: The Python types of schemas.
        is_method: Whether the first registered parameter is the object.

    Raises:
        SignatureError: It is not Python, or contradicts the registered type.

    """
    parameters = parse_signature(text)
    if is_method and parameters and parameters[0].name == "self":
        parameters = parameters[1:]
    if any(parameter.name == "self" for parameter in parameters) and is_method:
        raise SignatureError("has a parameter self that is not the first")
    if schema is None or schema.params is None:
        return parameters
    taken = schema.params[1:] if is_method else schema.params
    if len(taken) != len(parameters):
        raise SignatureError(f"has {len(parameters)} parameters, but the function takes {len(taken)}")
    for parameter, of in zip(parameters, taken):
        if parameter.default is not None and not _takes(of, ast.literal_eval(parameter.default)):
            raise SignatureError(f"has {parameter.name}={parameter.default}, but the function takes {of.origin} there")
        known = [_annotate_plainly(of, types, taken=is_taken) for is_taken in (True, False)]
        if parameter.annotation and parameter.annotation not in known:
            raise SignatureError(
                f"has {parameter.name}: {parameter.annotation}, but the function takes {known[-1]} there"
            )
    return parameters


def has_defaults_or_keywords(parameters: tuple[Parameter, ...]) -> bool:
    """Return whether a call may leave a parameter out or pass one by name. The runtime's functions take neither."""
    return any(parameter.kind != BY_POSITION or parameter.default is not None for parameter in parameters)


def without_keywords(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Return parameters that have to be passed, by position."""
    return tuple(replace(parameter, kind=BY_POSITION, default=None) for parameter in parameters)


def _annotate_plainly(schema: Schema, types: Types, *, taken: bool) -> str:
    parts = types.annotation(schema, taken=taken)
    return "".join(part.name if isinstance(part, Name) else part for part in parts)


def _takes(schema: Schema, value: object) -> bool:
    """Return whether a function that takes a type accepts a literal."""
    if schema.origin == "Any":
        return True
    if schema.origin == "Optional":
        return value is None or _takes(schema.args[0], value)
    if schema.origin == "Union":
        return any(_takes(arg, value) for arg in schema.args)
    return isinstance(value, _LITERALS.get(schema.origin, ()))
