"""Fills the blocks of files, which know of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import StubError
from ..files.directives import Block
from ..files.python_names import sort_key
from ..files.python_source import read_source
from ..registry.schema import Name, Types
from ..registry.signatures import BY_NAME
from ..registry.snapshot import library_file_names
from .definitions import CONSTRUCTOR, RESERVED, Renderer, explain_omission
from .imports import Import, NamesInFile, parse_type_name, python_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..files.directives import Document
    from ..files.python_source import Override
    from ..registry.snapshot import Function, Snapshot
    from .class_places import Classes

__all__ = ["File", "Run"]

_CHECKING = ("typing", "TYPE_CHECKING")


class Run:
    """All files of a run, which know of each other."""

    def __init__(self, documents: Mapping[Path, Document], snapshot: Snapshot, classes: Classes, unit: str) -> None:
        self.snapshot = snapshot
        self.classes = classes
        # Where the class of a type is, each file knows itself; what inherits nothing, such as int, has none.
        keys = {key for key, of in snapshot.types.items() if of.parent is not None}
        self.types = Types({left: parse_type_name(right) for left, right in classes.mapped.items() if left not in keys})
        self.unit = unit
        self.notes: list[str] = []
        self.files = {path: File(path, document, self) for path, document in documents.items()}
        self.asked: list[Path] = []

    def exported_by(self, module: Path) -> list[str] | None:
        """Return what a module exports, given its path without a suffix; None if that cannot be said.

        Raises:
            StubError: It exports, by way of others perhaps, what itself exports.

        """
        for suffix in (".py", ".pyi"):
            for path in (module.with_name(module.name + suffix), module / f"__init__{suffix}"):
                if path in self.asked:
                    raise StubError(f"{path} exports what it is exported by", "take out one of the blocks export/...")
                if path in self.files:
                    self.asked.append(path)
                    names = self.files[path].exported()
                    self.asked.pop()
                    return names or None
        return None


class File:
    """Fills one file."""

    def __init__(self, path: Path, document: Document, run: Run) -> None:
        self.path = path
        self.document = document
        self.run = run
        self.snapshot, self.unit = run.snapshot, run.unit
        self.source = read_source(document)
        own = {block.line: self._name_class(block) for block in document.blocks if block.kind == "object"}
        self.classes = set(own.values())
        self.functions = {
            block.line: self._list_functions(block) for block in document.blocks if block.kind == "global"
        }
        defined = {f.name.rpartition(".")[2] for functions in self.functions.values() for f in functions}
        self.bearer = document.bearer
        self.names = NamesInFile(
            taken=self.source.names.keys() | self.classes | defined,
            provided=self.source.imports,
            class_of=lambda key: run.classes.seen_from(path, key),
        )
        sections = [block.line for block in document.blocks if block.kind == "import-section"]
        # A statement of the future has to be the first.
        self.may_say_future = bool(sections) and (not self.source.first or self.source.first >= sections[0])
        self.renderer = Renderer(
            self.names,
            run.types,
            run.unit,
            is_stub=path.suffix == ".pyi",
            is_lazy=self.source.is_lazy or self.may_say_future,
        )

    def _note(self, block: Block, text: str) -> None:
        self.run.notes.append(f"{self.document.path}:{block.line}: {text}")

    def _note_positional(self, block: Block, functions: Iterable[Function], before: str, *, is_method: bool) -> None:
        """Say where a signature has more than the runtime can take: it calls methods by position only."""
        for function in functions:
            signature = self.renderer.read_signature(function, is_method=is_method and not function.static) or ()
            needs_more = any(parameter.default is not None or parameter.kind == BY_NAME for parameter in signature)
            if needs_more and function.name != CONSTRUCTOR:
                self._note(
                    block,
                    f"{before}{function.name} takes all parameters by position: the runtime has no default values or "
                    "keywords for methods",
                )

    def _check_overrides(
        self, overrides: Iterable[Override], functions: Iterable[Function], *, is_method: bool
    ) -> None:
        """Check that definitions for type checkers take as many parameters as the registered functions.

        Raises:
            StubError: One takes another number.

        """
        counts: dict[str, set[int]] = {}
        for function in functions:
            params = function.schema.params if function.schema else None
            if params is not None:
                count = len(params) - (is_method and not function.static)
                counts.setdefault(function.name.rpartition(".")[2], set()).add(count)
        for override in overrides:
            known = counts.get(override.name)
            if known and override.count is not None and override.count not in known:
                raise StubError(
                    f"{self.document.path}:{override.line}: {override.name} has {override.count} parameters here, but "
                    f"the registered function takes {' or '.join(map(str, sorted(known)))}",
                    "correct the definition, or delete it",
                )

    def _name_class(self, block: Block) -> str:
        around = self.source.classes.get(block.line)
        return around.name if around else block.parameter.rpartition(".")[2]

    def _list_functions(self, block: Block) -> list[Function]:
        functions = []
        overridden = {override.name for override in self.source.overrides}
        for name, function in self.snapshot.functions.items():
            if name.rpartition(".")[0] != block.prefix:
                continue
            plain = name.rpartition(".")[2]
            reason = explain_omission(plain) or (plain not in overridden and self._describe_conflict(plain, block))
            if reason:
                self._note(block, f"{name} is left out: {reason}")
            elif plain not in self.classes:  # which come later in the file, and so win
                functions.append(function)
        return sorted(functions, key=lambda function: function.name)

    def _describe_conflict(self, name: str, block: Block) -> str:
        """Return what else has the name of a function in the file; nothing if nothing has."""
        if name in RESERVED:
            return "what is generated needs that name for something else"
        line = self.source.names.get(name, 0)
        if name in self.classes or not line:
            return ""
        if line > block.line:
            return f"line {line} defines that name"
        return f"line {line} defines that name, which the function replaces at run time; move the block above it"

    def filled(self) -> Document:
        """Return the document with all blocks filled."""
        for directive in self.document.directives("import-object"):
            path, only, alias = (part.strip() for part in [*directive.payload.split(";"), "", ""][:3])
            module, _, name = python_path(path).rpartition(".")
            into = self.names.for_checkers if only.lower() == "true" else self.names.at_run_time
            into.add(Import(module, name, alias))
        own = "".join(part for part in self.document.parts if isinstance(part, str))
        if "TYPE_CHECKING" in own and _CHECKING not in self.source.imports:
            # The file's own code has it from the section.
            self.names.at_run_time.add(Import(*_CHECKING))
        contents: dict[int, list[str]] = {}
        # What is imported is known when all others are filled.
        for block in sorted(self.document.blocks, key=lambda block: block is self.bearer):
            contents[block.line] = self._fill_block(block)
        if self.bearer is None and self.names.for_checkers:
            names = ", ".join(sorted(item.bound for item in self.names.for_checkers))
            self.run.notes.append(f"{self.document.path}: {names} are not imported; add a block import-section")
        parts = tuple(
            part.filled(contents[part.line]) if isinstance(part, Block) else part for part in self.document.parts
        )
        return replace(self.document, parts=parts)

    def _fill_block(self, block: Block) -> list[str]:
        indent = block.indent
        if block.kind == "__all__":
            return [f'{indent}"{name}",' for name in self.exported() if name not in self.source.exported]
        fill = {
            "global": self._fill_global,
            "object": self._fill_object,
            "library": self._fill_library,
            "import-section": self._fill_section,
            "export": self._fill_export,
        }[block.kind]
        lines = fill(block)
        if block is self.bearer and block.kind != "import-section" and lines:
            lines = [
                *self.names.section(self.unit, future=False, checking=self._find_provided(*_CHECKING, block)),
                *lines,
            ]
        sorted_by = ["isort"] if block is self.bearer or block.kind == "export" else []
        off = [f"{indent}# {tool}: off" for tool in ("fmt", *sorted_by)]
        on = [f"{indent}# {tool}: on" for tool in (*sorted_by, "fmt")]
        return [*off, *lines, *on] if lines else []

    def _fill_global(self, block: Block) -> list[str]:
        functions = self.functions[block.line]
        if not functions:
            self._note(block, f"no function is registered below {block.prefix}")
        module, name = block.init_function
        call = self._bind_at_run_time(python_path(module), name, "_FFI_INIT_FUNC", block)
        inner = f"{block.indent}{self.unit}"
        lines = [f'{block.indent}{call}("{block.prefix}", __name__)']
        if functions:
            self._check_overrides(self.source.overrides, functions, is_method=False)
            overridden = {override.name for override in self.source.overrides}
            shown = [function for function in functions if function.name.rpartition(".")[2] not in overridden]
            # Where all are written by hand, a statement is needed.
            stubs = self.renderer.functions(shown, inner) or [f"{inner}..."]
            lines += self._guard_for_checkers(block, stubs)
            wrappers = [] if self.renderer.is_stub else self.renderer.wrappers(functions, inner)
            lines += [f"{block.indent}else:", *wrappers] if wrappers else []
        return lines

    def _fill_object(self, block: Block) -> list[str]:
        of = self.snapshot.types.get(block.parameter)
        if of is None:
            raise StubError(
                f"{self.document.path}:{block.line}: no type is registered as {block.parameter}",
                "load the library that registers it with --dlls, or delete the block",
            )
        around = self.source.classes.get(block.line)
        members = self.renderer.members(of, self.snapshot, block.indent, around)
        reasons = {member.name: explain_omission(member.name) for member in of.fields}
        reasons |= {member.name: explain_omission(member.name, is_method=True) for member in of.methods}
        for name, reason in reasons.items():
            if reason:
                self._note(block, f"{of.key}.{name} is left out: {reason}")
        if around is not None:
            self._check_overrides(around.overrides, of.methods, is_method=True)
        self._note_positional(block, of.methods, f"{of.key}.", is_method=True)
        lines = [*members.visible, *(self._guard_for_checkers(block, members.hidden) if members.hidden else [])]
        if members.instead:
            lines += [f"{block.indent}else:", *members.instead]
        # The class may have nothing else.
        return lines or [f"{block.indent}..."]

    def _fill_library(self, block: Block) -> list[str]:
        names = library_file_names(block.parameter)
        if not any(name in self.snapshot.libraries for name in names):
            self._note(block, f"no library of the target {block.parameter} is loaded: {' or '.join(names)}")
        functions = self.snapshot.exported_by(block.parameter)
        self._note_positional(block, functions, "LIB.", is_method=False)
        inner = f"{block.indent}{self.unit}"
        module = self.names.text((Name("tvm_ffi", "Module"),))
        lines = [f"{inner}class Library({module}):", f'{inner}{self.unit}"""The functions that the library exports."""']
        lines += self.renderer.methods(functions, f"{inner}{self.unit}")
        return self._guard_for_checkers(block, lines)

    def _fill_section(self, block: Block) -> list[str]:
        if block is not self.bearer:  # the first section has them all
            return []
        future = self.may_say_future and not self.source.is_lazy
        lines = self.names.section(self.unit, future=future, checking=self._find_provided(*_CHECKING, block))
        return [f"{block.indent}{line}" if line else "" for line in lines]

    def _fill_export(self, block: Block) -> list[str]:
        module = block.parameter.strip(".")
        indent, inner = block.indent, f"{block.indent}{self.unit}"
        names = self.run.exported_by(self._find_module_path(block))
        first = next(other for other in self.document.blocks if other.kind == "export")
        has_list = block.line != first.line or 0 < self.source.listed_at < block.line
        operator = "+=" if has_list else "="
        if names is None:  # not among the files of this run, or not in writing there
            package, _, name = module.rpartition(".")
            lines = [f"{indent}from .{package} import {name}", f"{indent}from .{module} import *  # noqa: F403"]
            # A list of its own, that others may be added to.
            return [*lines, *([] if has_list else [f"{indent}__all__ = []"]), f"{indent}__all__ += {name}.__all__"]
        names = [name for name in names if not self._defines(name, block)]
        if 0 < self.source.tuple_at < block.line:
            # Type checkers follow a list that is added to, but no tuple.
            raise StubError(
                f"{self.document.path}:{self.source.tuple_at}: __all__ is a tuple, which the block "
                f"export/{block.parameter} cannot add to",
                "make it a list",
            )
        lines = [f"{indent}from .{module} import (", *(f"{inner}{name}," for name in names), f"{indent})"]
        return [*lines, f"{indent}__all__ {operator} [", *(f'{inner}"{name}",' for name in names), f"{indent}]"]

    def _defines(self, name: str, block: Block) -> bool:
        """Return whether the file defines a name that a block ``export`` would import, and say so."""
        line = self.source.names.get(name)
        if line is None or self.source.imports.get((f".{block.parameter.strip('.')}", name)) == name:
            return False
        self._note(block, f"{name} of {block.parameter} is not imported: line {line} defines that name")
        return True

    def _find_module_path(self, block: Block) -> Path:
        """Return the module of a block ``export``, without its suffix."""
        return self.path.parent.joinpath(*block.parameter.strip(".").split("."))

    def exported(self) -> list[str]:
        """Return what the file exports: what is generated, and what it lists itself."""
        names = {f.name.rpartition(".")[2] for functions in self.functions.values() for f in functions} | self.classes
        names |= self.source.exported
        for block in self.document.blocks:
            if block.kind == "export":
                names.update(self.run.exported_by(self._find_module_path(block)) or ())
        return sorted(names | ({"LIB"} & self.source.names.keys()), key=sort_key)

    def _guard_for_checkers(self, block: Block, lines: list[str]) -> list[str]:
        """Put lines behind ``if TYPE_CHECKING``."""
        checking = self._bind_at_run_time(*_CHECKING, "TYPE_CHECKING", block)
        return [f"{block.indent}if {checking}:", *lines]

    def _find_provided(self, module: str, name: str, block: Block) -> str | None:
        """Return what stands for something that the file imports itself, before a block."""
        for key, rest in (((module, name), ""), ((module, ""), f".{name}")):
            if self.source.ran.get(key, block.line) < block.line:
                return f"{self.source.imports[key]}{rest}"
        return None

    def _bind_at_run_time(self, module: str, name: str, alias: str, block: Block) -> str:
        """Return how the file calls something that the block needs when the module runs."""
        provided = self._find_provided(module, name, block)
        if provided is not None:
            return provided
        if self.bearer is not None and self.bearer.line <= block.line:
            self.names.at_run_time.add(Import(module, name, "" if alias == name else alias))
            return alias
        raise StubError(
            f"{self.document.path}:{block.line}: the block needs {name} of {module}, which the file does not import",
            "import it, or add a block import-section",
        )
