"""Functions and classes as typed Python source."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..registry.schema import ANY, Name
from .docstrings import find_parameter_names, is_plain_name, render_docstring

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ..registry.schema import Schema, Types
    from ..registry.snapshot import Field, Function, Snapshot, Type
    from .imports import NamesInFile

__all__ = ["Renderer", "is_internal", "is_method_of_library"]

_CONSTRUCTOR = "__ffi_init__"


def is_internal(name: str) -> bool:
    """Say whether a member serves the runtime and not its users."""
    return name.startswith(("__ffi_", "__c_ffi_"))


class Renderer:
    """Renders for one file.

    Attributes:
        names: The names of the file; each rendering adds the imports it needs.
        types: The Python types of schemas.
        unit: The blanks of one level of indentation.
        is_stub: For a ``.pyi``, where overloads have no implementation.
        is_lazy: Whether annotations are not evaluated at run time (PEP 563).

    """

    def __init__(self, names: NamesInFile, types: Types, unit: str, *, is_stub: bool, is_lazy: bool) -> None:
        self.names = names
        self.types = types
        self.unit = unit
        self.is_stub = is_stub
        self.is_lazy = is_lazy

    def functions(self, functions: Iterable[Function], indent: str, *, scope: Collection[str] = ()) -> list[str]:
        """Return definitions of functions, by the last part of their names."""
        lines: list[str] = []
        for function in functions:
            lines += self._define(function.name.rpartition(".")[2], function, indent, scope, bound=False)
        return lines

    def methods(self, functions: Iterable[Function], indent: str) -> list[str]:
        """Return the functions of a library as methods of the object that stands for it."""
        functions = [f for f in functions if is_method_of_library(f.name)]
        scope = {function.name for function in functions}
        lines: list[str] = []
        for function in functions:
            lines += self._define(function.name, function, indent, scope, bound=True, whole=True)
        return lines

    def members(
        self, of: Type, snapshot: Snapshot, indent: str, defined: Collection[str]
    ) -> tuple[list[str], list[str]]:
        """Return the fields, the constructor and the methods of a class: those to be seen at run time, and the others.

        Args:
            of: The type.
            snapshot: Where its ancestors are.
            indent: The blanks before each line; the others have one level more.
            defined: What the class defines itself, which wins.

        """
        fields = [field for field in of.fields if is_plain_name(field.name) and field.name not in defined]
        # The runtime gives a class no method of a name that it has inherited, or that a field has.
        there = {*_OF_OBJECT, *defined}
        there |= {field.name for known in _list_ancestors(of, snapshot) for field in known.fields}
        there |= {method.name for known in _list_ancestors(of, snapshot)[:-1] for method in known.methods}
        methods = _group_by_name(m for m in of.methods if is_plain_name(m.name) and m.name not in there)
        scope = {field.name for field in fields} | set(methods) | set(defined)
        inner = f"{indent}{self.unit}"
        lines: list[str] = []
        hidden: list[str] = []
        for field in fields:
            if not field.frozen:
                at = indent if self.is_lazy else inner
                declaration = [f"{at}{field.name}: {self._annotate(field.schema, scope, taken=False)}"]
                (lines if self.is_lazy else hidden).extend([*declaration, *render_docstring(field.doc, at)])
        property_ = self.names.text((Name("builtins", "property"),), scope)
        for field in fields:
            if field.frozen:
                hidden += [
                    f"{inner}@{property_}",
                    f"{inner}def {field.name}(self) -> {self._annotate(field.schema, scope, taken=False)}:",
                ]
                hidden += [*render_docstring(field.doc, inner + self.unit), f"{inner}{self.unit}..."]
        hidden += self._define_constructors(of, snapshot, inner, scope, defined)
        for name, overloads in methods.items():
            if not is_internal(name):
                hidden += self._define_overloads(name, overloads, inner, scope)
        return lines, hidden

    def _annotate(self, schema: Schema | None, scope: Collection[str], *, taken: bool) -> str:
        return self.names.text(self.types.annotation(schema, taken=taken), scope)

    def _define(
        self,
        name: str,
        function: Function,
        indent: str,
        scope: Collection[str],
        *,
        bound: bool,
        whole: bool = False,
        names: Sequence[str] | None = None,
        returns: str | None = None,
    ) -> list[str]:
        """Return one definition.

        Args:
            name: Of the function in Python.
            function: What it is.
            indent: The blanks before each line.
            scope: Names of the class around it.
            bound: Whether it is called on an object.
            whole: Whether its registered parameters are all, without the object.
            names: Of its parameters, if they are known otherwise than by docs.
            returns: What it returns, instead of what is registered.

        """
        schema = function.schema
        self_parameter = [_choose_object_parameter(names or ())] if bound else []
        if schema is None or schema.params is None:
            parameters = [*self_parameter, f"*args: {self.names.text((ANY,), scope)}"]
        else:
            params = schema.params[1:] if bound and not whole else schema.params
            names = names or find_parameter_names(function.doc, len(params)) or [f"_{i}" for i in range(len(params))]
            parameters = [
                *self_parameter,
                *(f"{n}: {self._annotate(param, scope, taken=True)}" for n, param in zip(names, params)),
                *(["/"] if params or bound else []),
            ]
        result = returns or self._annotate(schema.returns if schema else None, scope, taken=False)
        head = f"{indent}def {name}({', '.join(parameters)}) -> {result}:"
        doc = render_docstring(function.doc, indent + self.unit)
        return [head, *doc, f"{indent}{self.unit}..."] if doc else [f"{head} ..."]

    def _define_overloads(
        self, name: str, overloads: Sequence[Function], indent: str, scope: Collection[str]
    ) -> list[str]:
        definitions: list[list[str]] = []
        for overload in overloads:
            definition = self._define(name, overload, indent, scope, bound=not overload.static)
            if overload.static:
                definition.insert(0, f"{indent}@{self._bind_static(scope)}")
            if definition not in definitions:
                definitions.append(definition)
        static = self._bind_static(scope) if overloads[0].static else ""
        return self._mark_overloads(name, definitions, indent, static=static)

    def _bind_static(self, scope: Collection[str]) -> str:
        return self.names.text((Name("builtins", "staticmethod"),), scope)

    def _mark_overloads(self, name: str, definitions: list[list[str]], indent: str, *, static: str = "") -> list[str]:
        if len(definitions) == 1:
            return definitions[0]
        overload = self.names.text((_OVERLOAD,))
        lines = [line for definition in definitions for line in (f"{indent}@{overload}", *definition)]
        if not self.is_stub:
            # Checkers ask for an implementation, in whatever words.
            anything = self.names.text((ANY,))
            lines += [f"{indent}@{static}"] if static else []
            parameters = "" if static else "self, "
            returns = "None" if name == "__init__" else anything
            lines.append(f"{indent}def {name}({parameters}*args: {anything}) -> {returns}: ...")
        return lines

    def _define_constructors(
        self, of: Type, snapshot: Snapshot, indent: str, scope: Collection[str], defined: Collection[str]
    ) -> list[str]:
        """Return ``__init__``; where the class has its own, what that may call."""
        if not of.has_init:
            if "__init__" in defined:
                return []
            # The runtime's raises; with a parameter that nothing fits, whoever calls it is told so.
            return [f"{indent}def __init__(self, _: {self.names.text((_NOTHING,), scope)}, /) -> None: ..."]
        name = _CONSTRUCTOR if "__init__" in defined else "__init__"
        registered = [method for method in of.methods if method.name == _CONSTRUCTOR]
        taken = [field for ancestor in _list_ancestors(of, snapshot) for field in ancestor.fields if field.init]
        if not registered:
            # What is declared again is the last.
            fields = {field.name: field for field in taken if is_plain_name(field.name)}
            parameters = [_choose_object_parameter(fields), *self._list_field_parameters(fields.values(), scope)]
            return [f"{indent}def {name}({', '.join(parameters)}) -> None: ..."]
        definitions = []
        for method in registered:
            params = method.schema.params if method.schema else None
            # By position only; the fields lend their names where they are what is taken.
            fits = params is not None and params == tuple(field.schema for field in taken)
            told = [field.name for field in taken]
            names = told if fits and len(set(told)) == len(told) and all(map(is_plain_name, told)) else None
            definitions.append(
                self._define(name, method, indent, scope, bound=True, whole=True, names=names, returns="None")
            )
        return self._mark_overloads(name, definitions, indent)

    def _list_field_parameters(self, fields: Collection[Field], scope: Collection[str]) -> list[str]:
        by_position = sorted((f for f in fields if not f.kw_only), key=lambda f: f.default is not None)
        by_name = sorted((f for f in fields if f.kw_only), key=lambda f: f.default is not None)

        def parameter(field: Field) -> str:
            text = f"{field.name}: {self._annotate(field.schema, scope, taken=True)}"
            return text if field.default is None else f"{text} = {_quote_literal(field.default)}"

        return [*map(parameter, by_position), *(["*"] if by_name else []), *map(parameter, by_name)]


def _choose_object_parameter(names: Collection[str]) -> str:
    """Return the name of the parameter for the object of a method, ``self`` if no other parameter is called so."""
    name = "self"
    while name in names:
        name = f"_{name}"
    return name


def _quote_literal(text: str) -> str:
    try:
        return text if math.isfinite(float(text)) else "..."
    except ValueError:
        return text


def _group_by_name(methods: Iterable[Function]) -> dict[str, list[Function]]:
    groups: dict[str, list[Function]] = {}
    for method in methods:
        groups.setdefault(method.name, []).append(method)
    return dict(sorted(groups.items()))


def is_method_of_library(name: str) -> bool:
    """Say whether a function that a library exports can be a method of the object that stands for the library."""
    return is_plain_name(name) and name not in _OF_MODULE


def _list_ancestors(of: Type, snapshot: Snapshot) -> list[Type]:
    """Return a type's ancestors, the farthest first, and the type."""
    line = [of]
    while line[0].parent is not None and line[0].parent in snapshot.types:
        line.insert(0, snapshot.types[line[0].parent])
    return line


_OVERLOAD = Name("typing", "overload")
_NOTHING = Name("typing", "NoReturn")
# What the classes of the runtime have, and a library or a type cannot take from them.
_OF_OBJECT = {"_move", "id_", "is_", "same_as"}
_OF_MODULE = _OF_OBJECT | {
    "clear_imports",
    "entry_name",
    "get_function",
    "get_function_doc",
    "get_function_metadata",
    "get_property_mask",
    "get_write_formats",
    "implements_function",
    "import_module",
    "imports",
    "imports_",
    "inspect_source",
    "is_binary_serializable",
    "is_compilation_exportable",
    "is_runnable",
    "kind",
    "write_to_file",
}
