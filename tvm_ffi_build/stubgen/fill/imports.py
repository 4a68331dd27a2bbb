"""Which name stands for which type in one file, and what has to be imported for it."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..files.python_names import is_dotted_name
from ..registry.schema import ANY, NONE, Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from ..registry.schema import Annotation

__all__ = ["Import", "NamesInFile", "parse_type_name", "python_path"]

# Whose module differs from the prefix of its type keys.
_MODULES = {"ffi": "tvm_ffi", "testing": "tvm_ffi.testing"}

_DLPACK = (
    "class SupportsDLPack({protocol}):",
    '{unit}"""What speaks DLPack: tensors of numpy, torch, jax and others."""',
    "",
    "{unit}def __dlpack__(self, *args: {any}, **kwargs: {any}) -> {any}: ...",
)


def python_path(dotted: str) -> str:
    """Return where Python finds what a type key or a directive names.

    >>> python_path("ffi.access_path.AccessStep")
    'tvm_ffi.access_path.AccessStep'
    """
    first, dot, rest = dotted.partition(".")
    return f"{_MODULES[first]}.{rest}" if dot and first in _MODULES else dotted


def parse_type_name(dotted: str) -> Name:
    """Return the name that a directive puts for a type; one without a module is a builtin, or the file's own."""
    module, _, name = python_path(dotted).rpartition(".")
    if module or not hasattr(builtins, name):
        return Name(module, name, type_key=None if module else name)
    return Name("builtins", name)


@dataclass(frozen=True, order=True)
class Import:
    """An import statement for one name.

    Attributes:
        module: From where; empty for ``import name``.
        name: What.
        alias: As what, or empty.

    """

    module: str
    name: str
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name that it binds."""
        return self.alias or self.name

    @property
    def clause(self) -> str:
        """``name as alias``."""
        return f"{self.name} as {self.alias}" if self.alias and self.alias != self.name else self.name


@dataclass
class NamesInFile:
    """The names of one file.

    Attributes:
        taken: What the file defines at its top level, generated or not; such a name means nothing else there.
        provided: What the file imports itself: module and name, and the name that stands for it.
        class_of: Returns where the Python class of a type key is imported from; without a dot if the file has it.
        at_run_time: Imports that are needed when the module runs.
        for_checkers: Imports that only type checkers need.
        needs_dlpack: Whether an annotation has ``SupportsDLPack``.
        aliases: Classes of the file that need a second name.

    """

    taken: AbstractSet[str]
    provided: Mapping[tuple[str, str], str]
    class_of: Callable[[str], str]
    at_run_time: set[Import] = field(default_factory=set)
    for_checkers: set[Import] = field(default_factory=set)
    needs_dlpack: bool = False
    aliases: set[str] = field(default_factory=set)

    def text(self, annotation: Annotation, scope: Iterable[str] = ()) -> str:
        """Return an annotation as source text.

        Args:
            annotation: The type.
            scope: Names that mean something else where it will stand: those of the class around it.

        """
        hidden = {*self.taken, *scope}
        scope = set(scope)
        return "".join(self._name_text(part, hidden, scope) if isinstance(part, Name) else part for part in annotation)

    def _name_text(self, name: Name, hidden: set[str], scope: set[str]) -> str:
        if name == NONE:
            return name.name
        if name.name == "SupportsDLPack" and not name.module:
            self.needs_dlpack = True
            return name.name
        if name.module == "builtins":
            if name.name in hidden:
                self.for_checkers.add(Import("", "builtins"))
                return f"builtins.{name.name}"
            return name.name
        if name.type_key is None:
            return self._import_name(name.module, name.name, hidden, scope)
        return self._class_text(name.type_key, hidden, scope)

    def _class_text(self, key: str, hidden: set[str], scope: set[str]) -> str:
        path = self.class_of(key)
        if not is_dotted_name(path):
            # Keys may be any text: those of templates, as C++ spells them, or a class that a function has defined.
            return self._name_text(ANY, hidden, scope)
        module, _, cls = path.rpartition(".")
        if module:
            return self._import_name(module, cls, hidden, scope)
        if cls not in scope:
            return cls
        # A member of the class around it has the name of a class of this file.
        self.aliases.add(cls)
        return f"_{cls}"

    def _import_name(self, module: str, name: str, hidden: set[str], scope: set[str]) -> str:
        provided = self.provided.get((module, name))
        if provided is not None and provided not in scope:
            return provided
        whole = self.provided.get((module, ""))
        if whole is not None and whole not in scope:
            return f"{whole}.{name}"
        for known in (*sorted(self.at_run_time), *sorted(self.for_checkers)):
            if (known.module, known.name) == (module, name) and known.bound not in hidden:
                return known.bound
        bound = {known.bound for known in (*self.at_run_time, *self.for_checkers)}
        alias = name
        while alias in hidden or alias in bound or hasattr(builtins, alias):
            alias = f"_{module.rpartition('.')[2]}_{name}" if alias == name else f"{alias}_"
        self.for_checkers.add(Import(module, name, "" if alias == name else alias))
        return alias

    def section(self, unit: str, *, future: bool, checking: str | None) -> list[str]:
        """Return the lines of an import section, complete once all annotations of the file were asked for.

        Args:
            unit: The blanks of one level of indentation.
            future: Whether the annotations of the file are to be evaluated by nobody (PEP 563).
            checking: What stands for ``typing.TYPE_CHECKING`` there, or None to import it.

        """
        words = {"unit": unit}
        if self.aliases:
            words["alias"] = self.text((Name("typing_extensions", "TypeAlias"),))
        if self.needs_dlpack:
            words |= {"any": self.text((ANY,)), "protocol": self.text((Name("typing", "Protocol"),))}
        at_run_time = set(self.at_run_time)
        if checking is None and (self.for_checkers - at_run_time or self.needs_dlpack):
            at_run_time.add(Import("typing", "TYPE_CHECKING"))
        lines = ["from __future__ import annotations"] if future else []
        lines += _render_statements(at_run_time)
        for_checkers = self.for_checkers - at_run_time
        if for_checkers:
            lines += [
                f"if {checking or 'TYPE_CHECKING'}:",
                *(f"{unit}{line}" for line in _render_statements(for_checkers)),
            ]
        lines += [f'{unit}_{cls}: {words["alias"]} = "{cls}"' for cls in sorted(self.aliases)]
        if self.needs_dlpack:
            lines += [f"{unit}{line.format_map(words)}" if line else "" for line in _DLPACK]
        return lines


def _render_statements(imports: AbstractSet[Import]) -> list[str]:
    """Return import statements, sorted, one a module."""
    modules: dict[str, list[str]] = {}
    for item in sorted(imports):
        modules.setdefault(item.module, []).append(item.clause)
    lines = [f"import {clause}" for clause in modules.pop("", [])]
    for module, clauses in sorted(modules.items()):
        line = f"from {module} import {', '.join(clauses)}"
        if len(line) <= 100:
            lines.append(line)
        else:
            lines += [f"from {module} import (", *(f"    {clause}," for clause in clauses), ")"]
    return lines
