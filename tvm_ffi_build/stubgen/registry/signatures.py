"""Signatures that are registered with functions: names, default values and kinds of parameters."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

__all__ = ["BY_NAME", "BY_POSITION", "EITHER", "Parameter", "SignatureError", "parse_signature", "split_docs"]

BY_POSITION, EITHER, BY_NAME = range(3)

# The form of __text_signature__ in CPython: what C symbols have instead of metadata.
_TEXT_SIGNATURE = re.compile(r"\w+\((.*?)\)\n--\n\n(.*)", re.DOTALL)


class SignatureError(ValueError):
    """A signature that is not Python, or that contradicts the registered types."""


@dataclass(frozen=True)
class Parameter:
    """A parameter.

    Attributes:
        name: Its name.
        kind: ``BY_POSITION``, ``EITHER`` or ``BY_NAME``: how it can be passed.
        default: Its default value as Python writes it, or None.
        annotation: Its type as the signature has it, or nothing.

    """

    name: str
    kind: int
    default: str | None = None
    annotation: str = ""


def split_docs(text: str) -> tuple[str | None, str]:
    r"""Return the signature that docs begin with, or None, and the docs without it.

    >>> split_docs("f(x, y=1)\n--\n\nAdd.")
    ('x, y=1', 'Add.')
    """
    match = _TEXT_SIGNATURE.fullmatch(text)
    return (match[1], match[2]) if match else (None, text)


def parse_signature(text: str) -> tuple[Parameter, ...]:
    """Read a signature.

    >>> [parameter.name for parameter in parse_signature("x, *, alpha=1.0")]
    ['x', 'alpha']

    Raises:
        SignatureError: It is none.

    """
    try:
        tree = ast.parse(f"def f({text}\n): pass")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise SignatureError("is not Python") from None
    function = tree.body[0]
    if len(tree.body) != 1 or not isinstance(function, ast.FunctionDef) or len(function.body) != 1 or function.returns:
        # It closes the parenthesis, and goes on.
        raise SignatureError("is not Python")
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        raise SignatureError("has a parameter with a star, which registered functions do not have")
    positional = [(arg, BY_POSITION) for arg in arguments.posonlyargs] + [(arg, EITHER) for arg in arguments.args]
    without = len(positional) - len(arguments.defaults)
    defaults = [None] * without + list(arguments.defaults)
    pairs = [
        *zip(positional, defaults),
        *zip(((arg, BY_NAME) for arg in arguments.kwonlyargs), arguments.kw_defaults),
    ]
    names = [arg.arg for (arg, _), _ in pairs]
    if len(set(names)) < len(names):
        raise SignatureError("has two parameters of one name")
    return tuple(
        Parameter(arg.arg, kind, _read_literal(default), ast.unparse(arg.annotation) if arg.annotation else "")
        for (arg, kind), default in pairs
    )


def _read_literal(node: ast.expr | None) -> str | None:
    if node is None:
        return None
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise SignatureError(f"has a default value that is not a literal: {ast.unparse(node)}") from None
