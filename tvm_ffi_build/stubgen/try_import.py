"""Imports what was generated before it is written, in a process that has loaded the libraries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import LoadError, StubError
from .files.directives import parse_document
from .files.module_names import find_module_name
from .files.python_source import read_source
from .registry.take import ask_child

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .files.directives import Document

__all__ = ["require_importable"]


def require_importable(
    old: Mapping[Path, str],
    new: Mapping[Path, str],
    libraries: Sequence[Path],
    imports: Sequence[str] = (),
    *,
    command: Sequence[str],
    limit: float = 60,
) -> list[str]:
    """Check that modules can be imported whose texts have changed.

    Args:
        old: The texts before, of other files of the package too.
        new: The texts to be written.
        libraries: What to load before.
        imports: Python modules to import before them.
        command: What runs a Python with the runtime.
        limit: Seconds after which importing is given up.

    Returns:
        What could not be tried because of code that was not generated, a line each.

    Raises:
        StubError: Generated code cannot be imported.

    """
    changed = [path for path, text in new.items() if path.suffix == ".py" and old.get(path) != text]
    if not changed:
        return []
    texts = {**old, **new}
    documents = {path: parse_document(texts[path], str(path)) for path in changed}
    modules = {path: find_module_name(path, _prefix(document), texts) for path, document in documents.items()}
    # Those that know the name of their package first: by that, others are imported with it.
    order = sorted(changed, key=lambda path: (not _prefix(documents[path]), path))
    files = {str(path.resolve()): path for path in texts}
    request = {
        "modules": [{"name": modules[path], "path": str(path.resolve())} for path in order],
        "texts": {file: texts[path] for file, path in files.items() if path.suffix == ".py"},
    }
    try:
        _, text = ask_child(libraries, imports, request, command=command, limit=limit)
    except LoadError as error:
        names = ", ".join(modules[path] for path in order)
        if not libraries:
            raise StubError(f"nothing was written, since importing {names} failed: {error}") from None
        # A loader written by hand may load the library of the build before too, which ends the process.
        return [f"{names} cannot be imported here, so what was generated was not tried: {error}"]
    try:
        elsewhere, failed = _read_answer(text, files)
    except (ValueError, KeyError, TypeError, RecursionError):
        # The modules and libraries that were loaded can write to the file for the answer.
        raise StubError("nothing was written, since the answer of the import check is damaged") from None
    notes = [f"{path} was not tried: a module of that name is imported already" for path in elsewhere]
    if failed is None:
        return notes
    path, line, error_line = failed
    where = f"{path}:{line}"
    if path not in old or (path in new and _is_generated(parse_document(new[path], str(path)), line)):
        raise StubError(
            f"{where}: nothing was written, since this cannot be imported: {error_line}",
            "to leave a type out, add the directive skip",
        )
    return [*notes, f"{where}: cannot be imported here, so not all that was generated was tried: {error_line}"]


def _read_answer(text: str, files: Mapping[str, Path]) -> tuple[list[Path], tuple[Path, int, str] | None]:
    """Return the files that were not tried, and the first failure: its file, line and error.

    Raises:
        ValueError, KeyError, TypeError: It is not an answer of ``reflect.py``.

    """
    answer = json.loads(text)
    elsewhere, failed = [files[file] for file in answer["elsewhere"]], answer["failed"]
    if failed is None:
        return elsewhere, None
    return elsewhere, (files[failed["path"]], int(failed["line"]), str(failed["error"]))


def _prefix(document: Document) -> str:
    """Return the first prefix of registered names that a file is for."""
    return next((block.prefix for block in document.blocks if block.kind in {"global", "object"}), "")


def _is_generated(document: Document, line: int) -> bool:
    """Return whether a line is in a block, or in a class that has nothing else."""
    if any(block.line <= line <= block.last_line for block in document.blocks):
        return True
    classes = read_source(document).classes.values()
    return any(around.is_generated and around.first_line <= line <= around.last_line for around in classes)
