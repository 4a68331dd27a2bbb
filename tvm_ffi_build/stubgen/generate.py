"""Fills the blocks of files from a snapshot. No file is read or written here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import StubError
from . import scaffold
from .directives import Block, parse
from .docs import is_plain_name
from .names import Import, Names, python_path
from .render import Renderer
from .schema import Name
from .source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .directives import Document
    from .snapshot import Function, Snapshot
    from .source import Source

__all__ = ["Init", "Result", "generate"]

_INIT_FUNCTION = "tvm_ffi.init_ffi_api"


@dataclass(frozen=True)
class Init:
    """What to begin where nothing is yet.

    Attributes:
        folder: Where packages are made.
        distribution: The name that pip knows.
        target: The CMake target of the library.
        prefix: What the registered names begin with; all deeper ones become sub-packages.

    """

    folder: Path
    distribution: str
    target: str
    prefix: str


@dataclass
class Result:
    """What came of it.

    Attributes:
        texts: The new text of each file, changed or not.
        notes: What a user should know, a line each.

    """

    texts: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """Where the class of a registered type is: a file, and its name there."""

    path: Path
    name: str


def generate(texts: Mapping[Path, str], snapshot: Snapshot, *, unit: str = "    ", init: Init | None = None) -> Result:
    """Fill all blocks.

    Args:
        texts: The files.
        snapshot: What is registered.
        unit: The blanks of one level of indentation.
        init: What to begin where nothing is yet, or None.

    Raises:
        StubError: A directive is wrong, a file is no Python, or a block names what is not registered.

    """
    result = Result()
    documents = {path: parse(text, str(path)) for path, text in texts.items() if path.name != scaffold.TYPED}
    documents = {path: document for path, document in documents.items() if not document.is_skipped}
    sources = {path: read_source(document) for path, document in documents.items()}
    classes = _Classes(_type_map(documents.values()), _places(documents, sources), snapshot)
    plan = _Plan(documents, snapshot, classes)
    if init is not None:
        typed = _begin(init, documents, snapshot, plan) / scaffold.TYPED
        result.texts[typed] = texts.get(typed, "")
    _roll_out(documents, snapshot, plan)
    run = _Run(documents, snapshot, classes, unit)
    for path, file in run.files.items():
        filled = file.filled()
        if filled.text != texts.get(path):
            _require_python(filled)
        result.texts[path] = filled.text
    result.notes = run.notes
    return result


def _require_python(document: Document) -> None:
    try:
        compile(document.text.removeprefix("\ufeff"), document.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise StubError(
            f"{document.path}:{getattr(error, 'lineno', 0)}: filled, this would be no Python: {error.args[0]}"
        ) from None


def _type_map(documents: Iterable[Document]) -> dict[str, str]:
    mapped: dict[str, str] = {}
    for document in documents:
        for directive in document.directives("ty-map"):
            left, _, right = (part.strip() for part in directive.payload.partition("->"))
            mapped[left] = right
    return mapped


def _places(documents: Mapping[Path, Document], sources: Mapping[Path, Source]) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    for path, document in documents.items():
        for block in document.blocks:
            if block.kind == "object":
                around = sources[path].classes.get(block.line)
                name = around.name if around else block.parameter.rpartition(".")[2]
                places.setdefault(block.parameter, _Place(path, name))
    return places


@dataclass(frozen=True)
class _Classes:
    """Where the Python classes of registered types are."""

    mapped: Mapping[str, str]
    places: dict[str, _Place]
    snapshot: Snapshot

    def seen_from(self, path: Path, key: str) -> str:
        """Return the path to import a class from; its name alone where the file has it."""
        if key in self.mapped:
            return python_path(self.mapped[key])
        place = self.places.get(key)
        if place is not None:
            return place.name if place.path == path else f"{_module_of(place.path, key)}.{place.name}"
        of = self.snapshot.types.get(key)
        if of is not None and of.python is not None:
            return of.python
        # Of one family with what is generated here, and still without a class: the nearest ancestor that has one.
        family = key.partition(".")[0]
        if of is not None and of.parent is not None and any(known.partition(".")[0] == family for known in self.places):
            return self.seen_from(path, of.parent)
        return python_path(key)


def _module_of(path: Path, key: str) -> str:
    """Return the dotted name of the module in a file, which has the class of a type key."""
    prefix = key.split(".")[:-1]
    folders = list(path.resolve().parent.parts)
    if prefix and folders[-len(prefix) :] == prefix:
        # The package may be none yet, or part of a namespace.
        return ".".join([*prefix, path.stem])
    parts = [] if path.stem == "__init__" else [path.stem]
    for folder in path.resolve().parents:
        if not (folder / "__init__.py").exists():
            break
        parts.insert(0, folder.name)
    return ".".join(parts)


@dataclass
class _Plan:
    """Adds classes to files, each with the base class that it is to have."""

    documents: dict[Path, Document]
    snapshot: Snapshot
    classes: _Classes
    added: dict[Path, list[str]] = field(default_factory=dict)

    def add(self, path: Path, keys: Iterable[str]) -> None:
        """Note that a file is to have the classes of these types."""
        for key in keys:
            self.added.setdefault(path, []).append(key)
            self.classes.places[key] = _Place(path, key.rpartition(".")[2])

    def text_for(self, path: Path, existing: str) -> str:
        """Return the classes that a file is to have, and before them what they import."""
        keys = scaffold.in_order(self.added.get(path, []), self.snapshot)
        imports, classes = {scaffold.REGISTER: "tvm_ffi.register_object"} if keys else {}, ""
        for key in keys:
            of = self.snapshot.types[key]
            seen = self.classes.seen_from(path, of.parent) if of.parent is not None else "tvm_ffi.Object"
            module, _, base = seen.rpartition(".")
            if seen == "tvm_ffi.Object":
                base = scaffold.OBJECT
            if module:
                imports[base] = seen
            classes += scaffold.class_text(of, base)
        lines = "".join(
            scaffold.import_line(seen, alias) for alias, seen in imports.items() if f";{alias}\n" not in existing
        )
        return f"{lines}\n{classes}" if lines else classes


def _begin(init: Init, documents: dict[Path, Document], snapshot: Snapshot, plan: _Plan) -> Path:
    """Add what is missing below a prefix: packages, and in them blocks for functions and classes.

    Returns the folder of the package.
    """
    root = init.prefix.strip().rstrip(".")
    if not all(map(is_plain_name, root.split("."))):
        raise StubError(f"--init-prefix {init.prefix!r} is no dotted name, so no package can be named after it")
    keys, functions = _under(root, snapshot)
    blocks = [block for document in documents.values() for block in document.blocks]
    have = {(block.kind, block.parameter.partition("@")[0]) for block in blocks}
    skipped = {directive.payload for document in documents.values() for directive in document.directives("skip")}
    base = _package_folder(init.folder, root)
    begun: list[tuple[str, Path, int]] = []
    for prefix in sorted({*keys, *functions}):
        below = prefix[len(root) + 1 :].split(".") if prefix != root else []
        if not all(map(is_plain_name, below)):
            raise StubError(f"the registered prefix {prefix!r} is no dotted name, so no package can be named after it")
        missing = [key for key in keys.get(prefix, []) if ("object", key) not in have and key not in skipped]
        missing = [
            key for key in missing if is_plain_name(key.rpartition(".")[2]) and snapshot.types[key].python is None
        ]
        if missing or (functions.get(prefix) and ("global", prefix) not in have):
            api = base.joinpath(*below, f"{scaffold.API}.py")
            plan.add(api, missing)
            begun.append((prefix, api, len(below)))
    if not keys and not functions:
        raise StubError(f"nothing is registered below {root!r}; name another prefix with --init-prefix")
    for prefix, api, levels in begun:
        if api not in documents:
            classes = plan.text_for(api, "")
            text = scaffold.api_file(prefix, classes, levels=levels, has_functions=prefix in functions)
            loader = base / f"{scaffold.LOADER}.py"
            documents.setdefault(loader, parse(scaffold.loader_file(init.distribution, init.target), str(loader)))
            documents[api] = parse(text, str(api))
        else:
            missing_functions = prefix in functions and ("global", prefix) not in have
            function_block = scaffold.function_block(prefix) if missing_functions else ""
            documents[api] = _appended(documents[api], function_block + plan.text_for(api, documents[api].text))
        initial = api.with_name("__init__.py")
        if initial not in documents:
            documents[initial] = parse(scaffold.init_file(prefix), str(initial))
        elif not any(block.kind == "export" for block in documents[initial].blocks):
            documents[initial] = _appended(documents[initial], scaffold.export_block())
    return base


def _package_folder(folder: Path, root: str) -> Path:
    """Return the package of a prefix: below a folder, or the folder itself where it is that package already."""
    parts = root.split(".")
    if list(folder.resolve().parts[-len(parts) :]) == parts:
        return folder
    return folder.joinpath(*parts)


def _under(root: str, snapshot: Snapshot) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the type keys and the functions below a prefix, by their own prefixes."""

    def by_prefix(names: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in names:
            prefix = name.rpartition(".")[0]
            if prefix == root or prefix.startswith(f"{root}."):
                found.setdefault(prefix, []).append(name)
        return found

    return by_prefix(snapshot.types), by_prefix(snapshot.functions)


def _roll_out(documents: dict[Path, Document], snapshot: Snapshot, plan: _Plan) -> None:
    """Give files with a directive ``prefix`` a class for each type of that prefix."""
    owners: dict[str, str] = {}
    have = {block.parameter for document in documents.values() for block in document.blocks if block.kind == "object"}
    for path, document in list(documents.items()):
        heads = document.directives("prefix")
        if not heads:
            continue
        where, prefix = f"{document.path}:{heads[-1].line}", heads[0].payload.rstrip(".")
        if len(heads) > 1:
            raise StubError(f"{where}: a second prefix in one file; split the file")
        if prefix in owners:
            raise StubError(f"{where}: the prefix {prefix} is claimed by {owners[prefix]} too; take it out of one")
        owners[prefix] = where
        skipped = {directive.payload for directive in document.directives("skip")}
        keys = [key for key in snapshot.types if key.rpartition(".")[0] == prefix]
        if not keys:
            raise StubError(f"{where}: no type is registered below {prefix}; name another prefix")
        plan.add(path, [key for key in keys if key not in have | skipped and snapshot.types[key].python is None])
        if path in plan.added:
            documents[path] = _appended(document, plan.text_for(path, document.text))


def _appended(document: Document, text: str) -> Document:
    return parse(document.text + text.replace("\n", document.newline), document.path)


class _Run:
    """All files of a run, which know of each other."""

    def __init__(self, documents: Mapping[Path, Document], snapshot: Snapshot, classes: _Classes, unit: str) -> None:
        self.snapshot = snapshot
        self.classes = classes
        self.unit = unit
        self.notes: list[str] = []
        self.files = {path: _File(path, document, self) for path, document in documents.items()}

    def exported_by(self, module: Path) -> list[str] | None:
        """Return what a module exports, given its path without a suffix; None if it is not part of the run."""
        for path in (module.with_name(f"{module.name}.py"), module / "__init__.py"):
            if path in self.files:
                return self.files[path].exported()
        return None


class _File:
    """Fills one file."""

    def __init__(self, path: Path, document: Document, run: _Run) -> None:
        self.path = path
        self.document = document
        self.run = run
        self.snapshot, self.unit = run.snapshot, run.unit
        self.source = read_source(document)
        own = {block.line: self._class_name(block) for block in document.blocks if block.kind == "object"}
        self.classes = set(own.values())
        self.functions = {block.line: self._functions_of(block) for block in document.blocks if block.kind == "global"}
        defined = {f.name.rpartition(".")[2] for functions in self.functions.values() for f in functions}
        # The block that has the imports: one for them, or the first that may.
        bearers = [block for block in document.blocks if block.kind == "import-section"]
        bearers += [block for block in document.blocks if block.kind in {"global", "library"} and not block.indent]
        self.bearer = bearers[0] if bearers else None
        self.names = Names(
            taken=self.source.names | self.classes | defined,
            provided=self.source.imports,
            class_of=lambda key: run.classes.seen_from(path, key),
        )
        sections = [block.line for block in document.blocks if block.kind == "import-section"]
        # A statement of the future has to be the first.
        self.may_say_future = bool(sections) and (not self.source.first or self.source.first >= sections[0])
        self.renderer = Renderer(
            self.names, run.unit, is_stub=path.suffix == ".pyi", is_lazy=self.source.is_lazy or self.may_say_future
        )

    def _note(self, block: Block, text: str) -> None:
        self.run.notes.append(f"{self.document.path}:{block.line}: {text}")

    def _class_name(self, block: Block) -> str:
        around = self.source.classes.get(block.line)
        return around.name if around else block.parameter.rpartition(".")[2]

    def _functions_of(self, block: Block) -> list[Function]:
        prefix = block.parameter.partition("@")[0].strip()
        functions = []
        for name, function in self.snapshot.functions.items():
            if name.rpartition(".")[0] != prefix:
                continue
            plain = name.rpartition(".")[2]
            if not is_plain_name(plain):
                self._note(block, f"{name} is left out: Python cannot define that name")
            elif plain not in self.classes:  # which come later in the file, and so win
                functions.append(function)
        return sorted(functions, key=lambda function: function.name)

    def filled(self) -> Document:
        """Return the document with all blocks filled."""
        for directive in self.document.directives("import-object"):
            path, only, alias = (part.strip() for part in [*directive.payload.split(";"), "", ""][:3])
            module, _, name = python_path(path).rpartition(".")
            into = self.names.for_checkers if only.lower() == "true" else self.names.at_run_time
            into.add(Import(module, name, alias))
        contents: dict[int, list[str]] = {}
        # What is imported is known when all others are filled.
        for block in sorted(self.document.blocks, key=lambda block: block is self.bearer):
            contents[block.line] = self._content(block)
        if self.bearer is None and self.names.for_checkers:
            names = ", ".join(sorted(item.bound for item in self.names.for_checkers))
            self.run.notes.append(f"{self.document.path}: {names} are not imported; add a block import-section")
        parts = tuple(
            part.filled(contents[part.line]) if isinstance(part, Block) else part for part in self.document.parts
        )
        return replace(self.document, parts=parts)

    def _content(self, block: Block) -> list[str]:
        indent = block.indent
        if block.kind == "__all__":
            return [f'{indent}"{name}",' for name in self.exported() if name not in self.source.exported]
        fill = {
            "global": self._global,
            "object": self._object,
            "library": self._library,
            "import-section": self._section,
            "export": self._export,
        }[block.kind]
        lines = fill(block)
        if block is self.bearer and block.kind != "import-section" and lines:
            lines = [*self.names.section(self.unit, future=False), *lines]
        sorted_by = ["isort"] if block is self.bearer or block.kind == "export" else []
        off = [f"{indent}# {tool}: off" for tool in ("fmt", *sorted_by)]
        on = [f"{indent}# {tool}: on" for tool in (*sorted_by, "fmt")]
        return [*off, *lines, *on] if lines else []

    def _global(self, block: Block) -> list[str]:
        prefix, _, function = (part.strip() for part in block.parameter.partition("@"))
        functions = self.functions[block.line]
        if not functions:
            self._note(block, f"no function is registered below {prefix}")
        module, _, name = (function or _INIT_FUNCTION).rpartition(".")
        call = self._bound_at_run_time(module, name, "_FFI_INIT_FUNC", block)
        inner = f"{block.indent}{self.unit}"
        lines = [f'{block.indent}{call}("{prefix}", __name__)']
        if functions:
            lines += self._for_checkers(block, self.renderer.functions(functions, inner))
        return lines

    def _object(self, block: Block) -> list[str]:
        of = self.snapshot.types.get(block.parameter)
        if of is None:
            raise StubError(
                f"{self.document.path}:{block.line}: no type is registered as {block.parameter}; load the library that "
                "registers it with --dlls, or delete the block"
            )
        around = self.source.classes.get(block.line)
        visible, hidden = self.renderer.members(of, self.snapshot, block.indent, around.defined if around else ())
        for name in [*(member.name for member in of.fields), *(member.name for member in of.methods)]:
            if not is_plain_name(name):
                self._note(block, f"{of.key}.{name} is left out: Python cannot define that name")
        # The class may have nothing else.
        return [*visible, *(self._for_checkers(block, hidden) if hidden else [])] or [f"{block.indent}..."]

    def _library(self, block: Block) -> list[str]:
        file_names = {f"lib{block.parameter}.so", f"lib{block.parameter}.dylib", f"{block.parameter}.dll"}
        functions = [f for file in file_names for f in self.snapshot.libraries.get(file, ())]
        inner = f"{block.indent}{self.unit}"
        module = self._bound_for_checkers()
        lines = [f"{inner}class Library({module}):", f'{inner}{self.unit}"""The functions that the library exports."""']
        lines += self.renderer.methods(functions, f"{inner}{self.unit}")
        return self._for_checkers(block, lines)

    def _section(self, block: Block) -> list[str]:
        lines = self.names.section(self.unit, future=self.may_say_future and not self.source.is_lazy)
        return [f"{block.indent}{line}" if line else "" for line in lines]

    def _export(self, block: Block) -> list[str]:
        module = block.parameter.strip(".")
        indent, inner = block.indent, f"{block.indent}{self.unit}"
        names = self.run.exported_by(self.path.parent.joinpath(*module.split(".")))
        first = next(other for other in self.document.blocks if other.kind == "export")
        has_list = block.line != first.line or 0 < self.source.listed_at < block.line
        operator = "+=" if has_list else "="
        if names is None:  # not among the files of this run
            package, _, name = module.rpartition(".")
            lines = [f"{indent}from .{package} import {name}", f"{indent}from .{module} import *  # noqa: F403"]
            return [*lines, f"{indent}__all__ {operator} {name}.__all__"]
        if not names:
            return []
        lines = [f"{indent}from .{module} import (", *(f"{inner}{name}," for name in names), f"{indent})"]
        return [*lines, f"{indent}__all__ {operator} [", *(f'{inner}"{name}",' for name in names), f"{indent}]"]

    def exported(self) -> list[str]:
        """Return what the file exports: what is generated, and what it lists itself."""
        names = {f.name.rpartition(".")[2] for functions in self.functions.values() for f in functions} | self.classes
        names |= self.source.exported
        return [*(["LIB"] if "LIB" in self.source.names else []), *sorted(names - {"LIB"})]

    def _for_checkers(self, block: Block, lines: list[str]) -> list[str]:
        """Put lines behind ``if TYPE_CHECKING``."""
        checking = self._bound_at_run_time("typing", "TYPE_CHECKING", "TYPE_CHECKING", block)
        return [f"{block.indent}if {checking}:", *lines]

    def _bound_for_checkers(self) -> str:
        return self.names.text((Name("tvm_ffi", "Module"),))

    def _bound_at_run_time(self, module: str, name: str, alias: str, block: Block) -> str:
        """Return how the file calls something that the block needs when the module runs."""
        provided = self.source.imports
        if (module, name) in provided:
            return provided[module, name]
        if (module, "") in provided:
            return f"{provided[module, '']}.{name}"
        if self.bearer is not None and self.bearer.line <= block.line:
            self.names.at_run_time.add(Import(module, name, "" if alias == name else alias))
            return alias
        raise StubError(
            f"{self.document.path}:{block.line}: the block needs {name} of {module}, which the file does not import; "
            "import it, or add a block import-section"
        )
