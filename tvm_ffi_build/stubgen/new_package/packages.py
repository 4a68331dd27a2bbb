"""Begins what is missing: packages for registered prefixes, classes for registered types."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import StubError
from ...pyproject.valid_names import is_distribution_name, is_target_name
from ..files.directives import parse_document
from ..files.package_parts import API, LOADER
from ..files.python_names import is_dotted_name, is_plain_name, is_special_name
from ..fill.definitions import explain_missing_class
from ..fill.imports import python_path
from . import files
from .gone import remove_gone_types
from .loader import loader_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from ..files.directives import Document
    from ..fill.class_places import Classes
    from ..registry.snapshot import Snapshot

__all__ = ["Init", "PackagePlan", "add_classes", "add_packages"]


@dataclass(frozen=True)
class Init:
    """What to begin where nothing is yet.

    Attributes:
        folder: Where packages are made.
        distribution: The name that pip knows.
        target: The CMake target of the library.
        prefix: What the registered names begin with; all deeper ones become sub-packages.

    Raises:
        StubError: A name is not one. They become parts of paths and of the code of the loader.

    """

    folder: Path
    distribution: str
    target: str
    prefix: str

    def __post_init__(self) -> None:
        """Check the names; the prefix is checked where packages are named after it."""
        if not is_distribution_name(self.distribution):
            raise StubError(
                f"--init-pypkg {self.distribution!r} is not the name of a distribution",
                "use letters from a to z, digits and, between them, '-', '_' and '.'",
            )
        if not is_target_name(self.target):
            raise StubError(
                f"--init-lib {self.target!r} is not the name of a CMake target",
                "use letters from a to z, digits, '_', '.', '+' and '-'",
            )


@dataclass
class PackagePlan:
    """Adds classes to files, each with the base class that it is to have."""

    snapshot: Snapshot
    classes: Classes
    notes: list[str]
    added: dict[Path, list[str]] = field(default_factory=dict)

    def add(self, path: Path, keys: Iterable[str]) -> None:
        """Note that a file is to have the classes of these types."""
        for key in keys:
            self.added.setdefault(path, []).append(key)
            self.classes.add(key, path)

    def without_class(self, keys: Iterable[str], skipped: Collection[str]) -> list[str]:
        """Return the types that are to have a class and have none."""
        missing = []
        for key in keys:
            of = self.snapshot.types[key]
            if key in self.classes.places or key in skipped or of.python is not None:
                continue
            reason = explain_missing_class(of, self.snapshot)
            if reason:
                self.notes.append(f"{key} is left out: {reason}")
            else:
                missing.append(key)
        return missing

    def require_order(self) -> None:
        """Check that files can be imported one after the other, each after those that it has base classes from.

        Raises:
            StubError: They need each other.

        """
        needs: dict[Path, set[Path]] = {}
        for path, keys in self.added.items():
            homes = {self.classes.file_of(self.snapshot.types[key].parent) for key in keys}
            needs[path] = {home for home in homes if home is not None and home != path}
        while needs:
            ready = [path for path, others in needs.items() if not others & set(needs)]
            if not ready:
                names = " and ".join(sorted(map(str, needs)))
                raise StubError(f"{names} would have base classes from each other", "write these classes into one file")
            for path in ready:
                del needs[path]

    def text_for(self, path: Path, existing: str) -> str:
        """Return the classes that a file is to have, and before them what they import."""
        keys = files.sort_by_ancestry(self.added.get(path, []), self.snapshot)
        imports, classes = {files.REGISTER: "tvm_ffi.register_object"} if keys else {}, ""
        own = self.classes.names_in(path)
        have = {
            alias: python_path(seen) for seen, alias in re.findall(r"import-object\): *(\S+?);\w*; *(\w+)", existing)
        }
        for key in keys:
            of = self.snapshot.types[key]
            seen = self.classes.seen_from(path, of.parent) if of.parent is not None else "tvm_ffi.Object"
            module, _, base = seen.rpartition(".")
            if seen == "tvm_ffi.Object":
                base = files.OBJECT
            if module:
                while base in own or imports.get(base, have.get(base, seen)) != seen:
                    base = f"_{base}"
                imports[base] = seen
            classes += files.class_text(of, base)
        lines = "".join(files.import_line(seen, alias) for alias, seen in imports.items() if have.get(alias) != seen)
        return f"{lines}\n{classes}" if lines else classes


@dataclass(frozen=True)
class _Package:
    """A package that lacks something.

    Attributes:
        prefix: The registered names that it is for.
        folder: Where it is.
        levels: How many packages above it the one is that loads the library.
        keys: The types that it has no class for.
        has_functions: Whether it lacks the functions.

    """

    prefix: str
    folder: Path
    levels: int
    keys: list[str]
    has_functions: bool

    @property
    def api(self) -> Path:
        """The module for what is registered."""
        return self.folder / f"{API}.py"


def add_packages(init: Init, documents: dict[Path, Document], snapshot: Snapshot, plan: PackagePlan) -> Path:
    """Add what is missing below a prefix: packages, and in them blocks for functions and classes.

    Returns the folder of the package.
    """
    root = init.prefix.strip().rstrip(".")
    if not is_dotted_name(root):
        raise StubError(f"--init-prefix {init.prefix!r} is not a dotted name, so no package can be named after it")
    base = _package_folder(init.folder, root, documents)
    for path, document in documents.items():
        if base in path.parents and not document.is_skipped:
            documents[path] = remove_gone_types(
                document, snapshot, lambda prefix: _is_below(prefix, root), plan.notes, by_hand=False
            )
    packages = _find_incomplete(root, base, documents, plan)
    is_new = not any(base in path.parents for path in documents)
    if is_new and snapshot.exported_by(init.target) and not any(package.levels == 0 for package in packages):
        # For the loader, with what the library exports.
        packages.insert(0, _Package(root, base, 0, [], has_functions=False))
    if is_new and not packages and plan.notes:
        raise StubError(f"no package can be started for the prefix {root!r}: {plan.notes[0]}")
    if is_new and not packages:
        raise StubError(f"nothing is registered below {root!r}", "name another prefix with --init-prefix")
    for package in packages:
        plan.add(package.api, package.keys)
    plan.require_order()
    for package in packages:
        if package.api not in documents:
            loader = base / f"{LOADER}.py"
            documents.setdefault(loader, parse_document(loader_file(init.distribution, init.target), str(loader)))
        _require_visible(package, init.folder, documents)
        _complete_package(package, documents, plan)
    return base


def _find_incomplete(root: str, base: Path, documents: dict[Path, Document], plan: PackagePlan) -> list[_Package]:
    """Return the packages below a prefix that lack a block."""
    keys, functions = _group_by_prefix(root, plan.snapshot)
    have = {block.prefix for document in documents.values() for block in document.blocks if block.kind == "global"}
    skipped = {directive.payload for document in documents.values() for directive in document.directives("skip")}
    packages = []
    for prefix in sorted({*keys, *functions}):
        below = prefix[len(root) + 1 :].split(".") if prefix != root else []
        reason = next(filter(None, map(_explain_missing_package, below)), "")
        if reason:
            plan.notes.append(f"what is registered below {prefix} is left out: {reason}")
            continue
        missing = plan.without_class(keys.get(prefix, []), skipped)
        has_functions = prefix in functions and prefix not in have
        package = _Package(prefix, base.joinpath(*below), len(below), missing, has_functions)
        is_left_alone = package.api in documents and documents[package.api].is_skipped
        if (missing or has_functions) and not is_left_alone:
            packages.append(package)
    return packages


def _explain_missing_package(name: str) -> str:
    """Return why no package can be named after a part of a registered prefix; nothing if one can."""
    if not is_plain_name(name):
        return f"Python cannot import a package named {name!r}"
    taken = name in {API, LOADER} or is_special_name(name)
    return f"a package has a module named {name!r} already" if taken else ""


def _require_visible(package: _Package, top: Path, documents: Mapping[Path, Document]) -> None:
    """Check that a package that is begun, and those around it, have no module of the same name beside them.

    Of a package and a module of one name Python imports the package.

    Raises:
        StubError: There is such a module.

    """
    for folder in (package.folder, *package.folder.parents):
        if folder == top:
            return
        module, initial = folder.with_name(f"{folder.name}.py"), folder / "__init__.py"
        if initial not in documents and module.exists():
            raise StubError(
                f"{module} would be hidden by a package that {package.prefix} needs", f"move it to {initial}"
            )


def _complete_package(package: _Package, documents: dict[Path, Document], plan: PackagePlan) -> None:
    """Give a package what it lacks."""
    api, initial = package.api, package.folder / "__init__.py"
    if api not in documents:
        classes = plan.text_for(api, "")
        text = files.api_file(package.prefix, classes, levels=package.levels, has_functions=package.has_functions)
        documents[api] = parse_document(text, str(api))
    else:
        functions = files.function_block(package.prefix) if package.has_functions else ""
        if functions:
            documents[api] = _append_text(documents[api], functions)
        if package.keys:
            documents[api] = _append_classes(api, documents[api], plan)
    if initial not in documents:
        documents[initial] = parse_document(files.init_file(package.prefix), str(initial))
    elif not (documents[initial].is_skipped or any(block.kind == "export" for block in documents[initial].blocks)):
        documents[initial] = _append_text(documents[initial], files.export_block())


def _package_folder(folder: Path, root: str, documents: Mapping[Path, Document]) -> Path:
    """Return the package of a prefix: below a folder, or the folder itself where it is that package already."""
    parts = root.split(".")
    if folder / "__init__.py" in documents and list(folder.resolve().parts[-len(parts) :]) == parts:
        return folder
    return folder.joinpath(*parts)


def _is_below(prefix: str, root: str) -> bool:
    return prefix == root or prefix.startswith(f"{root}.")


def _group_by_prefix(root: str, snapshot: Snapshot) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the type keys and the functions below a prefix, by their own prefixes."""

    def by_prefix(names: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in names:
            prefix = name.rpartition(".")[0]
            if _is_below(prefix, root):
                found.setdefault(prefix, []).append(name)
        return found

    return by_prefix(snapshot.types), by_prefix(snapshot.functions)


def add_classes(documents: dict[Path, Document], snapshot: Snapshot, plan: PackagePlan) -> None:
    """Give files with a directive ``prefix`` a class for each type of that prefix."""
    owners: dict[str, str] = {}
    for path, document in list(documents.items()):
        heads = document.directives("prefix")
        if not heads:
            continue
        where, prefix = f"{document.path}:{heads[-1].line}", heads[0].payload.rstrip(".")
        if len(heads) > 1:
            raise StubError(f"{where}: a second prefix in one file", "split the file")
        if prefix in owners:
            raise StubError(f"{where}: the prefix {prefix} is claimed by {owners[prefix]} too", "take it out of one")
        owners[prefix] = where
        skipped = {directive.payload for directive in document.directives("skip")}
        keys = [key for key in snapshot.types if key.rpartition(".")[0] == prefix]
        if not keys:
            plan.notes.append(f"{where}: no type is registered below {prefix}")
        new = plan.without_class(keys, skipped)
        plan.add(path, new)
        documents[path] = remove_gone_types(document, snapshot, prefix.__eq__, plan.notes, by_hand=True)
        if new:
            documents[path] = _append_classes(path, documents[path], plan)


def _append_classes(path: Path, document: Document, plan: PackagePlan) -> Document:
    """Return a file with the classes that are planned for it, and before them a block for what they import."""
    section = "" if document.bearer else files.section_block()
    return _append_text(document, section + plan.text_for(path, document.text))


def _append_text(document: Document, text: str) -> Document:
    return parse_document(document.text + text.replace("\n", document.newline), document.path)
