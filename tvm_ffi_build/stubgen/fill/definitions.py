"""Functions and classes as typed Python source."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import StubError
from ..files.python_names import is_plain_name, is_special_name
from ..registry.schema import ANY, Name
from ..registry.signatures import BY_NAME, BY_POSITION, EITHER, SignatureError
from .docstrings import find_parameter_names, render_docstring
from .fit_signature import fit_signature, has_defaults_or_keywords, without_keywords

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ..files.python_source import Class
    from ..registry.schema import Schema, Types
    from ..registry.signatures import Parameter
    from ..registry.snapshot import Field, Function, Snapshot, Type
    from .imports import NamesInFile

__all__ = [
    "CONSTRUCTOR",
    "RESERVED",
    "Members",
    "Renderer",
    "explain_missing_class",
    "explain_omission",
    "is_internal",
    "is_method_of_library",
]

CONSTRUCTOR = "__ffi_init__"
# Names that generated files give a meaning of their own.
RESERVED = {"LIB", "Library", "SupportsDLPack", "TYPE_CHECKING", "_FFI_INIT_FUNC", "_FFI_REG_OBJ", "_ffi_Object"}


def explain_omission(name: str, *, is_method: bool = False) -> str:
    """Return why no definition of a registered name can be written; nothing if it can.

    >>> explain_omission("from"), explain_omission("scale")
    ('Python cannot define that name', '')
    """
    if not is_plain_name(name):
        return "Python cannot define that name"
    # A class may well have a method of such a name, such as __len__.
    special = is_special_name(name) and not is_method
    return "Python gives that name a meaning of its own" if special else ""


def explain_missing_class(of: Type, snapshot: Snapshot) -> str:
    """Return why a type can have no Python class under the last part of its key; nothing if it can."""
    name = of.key.rpartition(".")[2]
    special = next((field.name for field in _list_fields(of, snapshot) if is_special_name(field.name)), "")
    if name in RESERVED:
        return "what is generated needs that name for something else"
    # The runtime sets an attribute of the class for each field.
    return explain_omission(name) or (
        f"Python gives the name of its field {special} another meaning" if special else ""
    )


@dataclass
class Members:
    """The lines of a class.

    Attributes:
        visible: What is there at run time too.
        hidden: What only type checkers see.
        instead: What is there at run time in place of that, or nothing.

    """

    visible: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    instead: list[str] = field(default_factory=list)


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

    def members(self, of: Type, snapshot: Snapshot, indent: str, around: Class | None) -> Members:
        """Return the fields, the constructor and the methods of a class.

        Args:
            of: The type.
            snapshot: Where its ancestors are.
            indent: The blanks before each line; what type checkers see has one level more.
            around: The class; what it defines itself wins.

        """
        defined = around.defined if around else frozenset[str]()
        fields = [field for field in of.fields if not explain_omission(field.name) and field.name not in defined]
        # The runtime gives a class no method of a name that it has inherited, or that a field has.
        there = {*_OF_OBJECT, *defined}
        there |= {field.name for field in _list_fields(of, snapshot)}
        there |= {method.name for known in _list_ancestors(of, snapshot)[:-1] for method in known.methods}
        methods = _group_by_name(
            m for m in of.methods if not explain_omission(m.name, is_method=True) and m.name not in there
        )
        scope = {field.name for field in fields} | set(methods) | set(defined)
        inner = f"{indent}{self.unit}"
        lines: list[str] = []
        hidden: list[str] = []
        instead: list[str] = []
        for member in fields:
            if not member.frozen:
                at = indent if self.is_lazy else inner
                declaration = [f"{at}{member.name}: {self._annotate(member.schema, scope, taken=False)}"]
                (lines if self.is_lazy else hidden).extend([*declaration, *render_docstring(member.doc, at)])
        property_ = self.names.text((Name("builtins", "property"),), scope)
        for member in fields:
            if member.frozen:
                hidden += [
                    f"{inner}@{property_}",
                    f"{inner}def {member.name}(self) -> {self._annotate(member.schema, scope, taken=False)}:",
                ]
                hidden += [*render_docstring(member.doc, inner + self.unit), f"{inner}{self.unit}..."]
        if around and around.is_dataclass:
            # The runtime warns of a field that the class does not annotate when it is made.
            unseen = [member for member in fields if member.frozen or not self.is_lazy]
            instead = [f"{inner}{member.name}: {self._annotate_at_run_time(member, scope)}" for member in unseen]
        if not (around and around.extends_builtin) and "__new__" not in defined:
            hidden += self._define_constructors(of, snapshot, inner, scope, defined)
            if of.has_init and "__init__" not in defined:
                instead += self._define_own_constructor(of, snapshot, inner)
        for name, overloads in methods.items():
            if not is_internal(name):
                hidden += self._define_overloads(name, overloads, inner, scope)
        return Members(lines, hidden, instead)

    def _annotate(self, schema: Schema | None, scope: Collection[str], *, taken: bool) -> str:
        return self.names.text(self.types.annotation(schema, taken=taken), scope)

    def _annotate_at_run_time(self, member: Field, scope: Collection[str]) -> str:
        """Return the type of a field, in quotes where Python would evaluate it."""
        text = self._annotate(member.schema, scope, taken=False)
        return text if self.is_lazy else f'"{text}"'

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
        keywords: bool = False,
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
            keywords: Whether a method can be called with the keywords and default values of its signature.

        """
        schema = function.schema
        self_parameter = ["self"] if bound else []
        signature = self.read_signature(function, is_method=bound and not whole)
        if signature is not None:
            # Only what this package defines itself takes more than the runtime.
            if bound or function.static:
                signature = without_keywords(signature) if not keywords else signature
            known = schema.params if schema else None
            types = known[len(known) - len(signature) :] if known is not None else [None] * len(signature)
            parameters = [*self_parameter, *self._list_parameters(signature, types, scope, bound=bound)]
        elif schema is None or schema.params is None:
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

    def read_signature(self, function: Function, *, is_method: bool) -> tuple[Parameter, ...] | None:
        """Return the registered parameters of a function, without its object; None if none are registered.

        Raises:
            StubError: They are not Python, or contradict the registered types.

        """
        if function.signature is None:
            return None
        try:
            return fit_signature(function.signature, function.schema, self.types, is_method=is_method)
        except SignatureError as error:
            raise StubError(
                f"the signature {function.signature!r} of {function.name} {error}",
                "correct it where the function is registered",
            ) from None

    def _list_parameters(
        self, signature: Sequence[Parameter], types: Sequence[Schema | None], scope: Collection[str], *, bound: bool
    ) -> list[str]:
        """Return parameters as they are written in a definition, with their types."""
        texts = [f"{p.name}: {self._annotate(of, scope, taken=True)}" for p, of in zip(signature, types)]
        return _join_parameters(signature, texts, " = ", bound=bound)

    def wrappers(self, functions: Iterable[Function], indent: str) -> list[str]:
        """Return definitions, for run time, of functions whose signatures have default values or keywords.

        The runtime's functions take neither. Without annotations, since only type checkers need those.
        """
        functions = list(functions)
        taken = {function.name.rpartition(".")[2] for function in functions}
        lines: list[str] = []
        for function in functions:
            signature = self.read_signature(function, is_method=False)
            if signature is None or not has_defaults_or_keywords(signature):
                continue
            name = function.name.rpartition(".")[2]
            inner = f"{indent}{self.unit}"
            original = f"_ffi_{name}"
            while original in taken or any(original == parameter.name for parameter in signature):
                original = f"_{original}"
            lines += [
                f"{indent}{original} = {name}",
                f"{indent}def {name}({_list_plainly(signature)}):",
                *render_docstring(function.doc, inner),
                f"{inner}return {original}({', '.join(parameter.name for parameter in signature)})",
            ]
        return lines

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
        name = CONSTRUCTOR if "__init__" in defined else "__init__"
        registered = [method for method in of.methods if method.name == CONSTRUCTOR]
        taken = [field for field in _list_fields(of, snapshot) if field.init]
        if not registered:
            # What is declared again is the last.
            fields = {field.name: field for field in taken}
            parameters = ["self", *self._list_field_parameters(fields.values(), scope)]
            return [f"{indent}def {name}({', '.join(parameters)}) -> None: ..."]
        definitions = []
        for method in registered:
            params = method.schema.params if method.schema else None
            # By position only; the fields lend their names where they are what is taken.
            fits = params is not None and params == tuple(field.schema for field in taken)
            told = [field.name for field in taken]
            names = told if fits and len(set(told)) == len(told) and all(map(_is_parameter, taken)) else None
            definitions.append(
                self._define(
                    name,
                    method,
                    indent,
                    scope,
                    bound=True,
                    whole=True,
                    names=names,
                    returns="None",
                    # Those of a constructor that this package writes itself.
                    keywords=len(registered) == 1 and name != CONSTRUCTOR,
                )
            )
        return self._mark_overloads(name, definitions, indent)

    def _define_own_constructor(self, of: Type, snapshot: Snapshot, indent: str) -> list[str]:
        """Return ``__init__`` for run time, where the one that the runtime makes would not do."""
        signature = self._read_constructor(of)
        if signature is not None and has_defaults_or_keywords(signature):
            parameters = ", ".join(["self", _list_plainly(signature)])
            call = f"self.{CONSTRUCTOR}({', '.join(parameter.name for parameter in signature)})"
        elif not all(map(_is_parameter, _list_fields(of, snapshot))):
            # The runtime cannot make one of such fields, and so could not register the class.
            parameters, call = "self, /, *args, **kwargs", f"self.{CONSTRUCTOR}(*args, **kwargs)"
        else:
            return []
        return [f"{indent}def __init__({parameters}):", f"{indent}{self.unit}{call}"]

    def _read_constructor(self, of: Type) -> tuple[Parameter, ...] | None:
        """Return the parameters in the signature of the only constructor of a type; None if there is none."""
        registered = [method for method in of.methods if method.name == CONSTRUCTOR]
        if len(registered) != 1 or registered[0].signature is None:
            return None
        # What is registered is without the object.
        return self.read_signature(registered[0], is_method=False)

    def _list_field_parameters(self, fields: Collection[Field], scope: Collection[str]) -> list[str]:
        by_position = sorted((f for f in fields if not f.kw_only), key=lambda f: f.default is not None)
        by_name = sorted((f for f in fields if f.kw_only), key=lambda f: f.default is not None)

        def parameter(field: Field, name: str = "") -> str:
            text = f"{name or field.name}: {self._annotate(field.schema, scope, taken=True)}"
            return text if field.default is None else f"{text} = {_quote_literal(field.default)}"

        names = {field.name for field in fields}
        parameters = []
        unfit = 0
        for number, member in enumerate(by_position):
            stand_in = ""
            if not _is_parameter(member):
                unfit, stand_in = number + 1, f"_{number}"
                while stand_in in names:
                    stand_in = f"_{stand_in}"
            parameters.append(parameter(member, stand_in))
        if unfit:
            # Such a name cannot be passed, and so neither can those of the parameters before it be.
            parameters.insert(unfit, "/")
        named = [parameter(field) for field in by_name if _is_parameter(field)]
        # Others can only be passed as **{"from": 1}.
        others = [f"**_: {self.names.text((ANY,), scope)}"] if len(named) < len(by_name) else []
        return [*parameters, *(["*"] if named else []), *named, *others]


def _list_plainly(signature: Sequence[Parameter]) -> str:
    """Return parameters as they are written in a definition, without types."""
    return ", ".join(_join_parameters(signature, [parameter.name for parameter in signature], "=", bound=False))


def _join_parameters(signature: Sequence[Parameter], texts: Sequence[str], equals: str, *, bound: bool) -> list[str]:
    """Return parameters with their default values, and the marks between their kinds."""
    words = [f"{text}{equals}{p.default}" if p.default is not None else text for p, text in zip(signature, texts)]
    by_position, either, by_name = (
        [word for p, word in zip(signature, words) if p.kind == kind] for kind in (BY_POSITION, EITHER, BY_NAME)
    )
    slash = ["/"] if by_position or (bound and not signature) else []
    return [*by_position, *slash, *either, *(["*"] if by_name else []), *by_name]


def _is_parameter(field: Field) -> bool:
    """Return whether a constructor can have a parameter with the name of a field."""
    return is_plain_name(field.name) and field.name != "self"


def _list_fields(of: Type, snapshot: Snapshot) -> list[Field]:
    """Return the fields of a type, those of its ancestors first."""
    return [field for ancestor in _list_ancestors(of, snapshot) for field in ancestor.fields]


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
    return not explain_omission(name, is_method=True) and name not in _OF_MODULE


def _list_ancestors(of: Type, snapshot: Snapshot) -> list[Type]:
    """Return a type's ancestors, the farthest first, and the type."""
    line = [of]
    while line[0].parent is not None and line[0].parent in snapshot.types:
        line.insert(0, snapshot.types[line[0].parent])
    return line


_OVERLOAD = Name("typing", "overload")
_NOTHING = Name("typing", "NoReturn")
# What the classes of the runtime have, and a library or a type cannot take from them.
_OF_OBJECT = {"__class__", "__dict__", "__init__", "__new__", "__slots__", "_move", "id_", "is_", "same_as"}
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
