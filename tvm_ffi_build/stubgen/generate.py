"""From texts and a snapshot to new texts. No file is read or written here."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import StubError
from .files.directives import parse_document
from .files.package_parts import TYPED
from .files.python_source import read_source
from .files.write import require_read
from .fill.blocks import Run
from .fill.class_places import Classes, find_places, read_type_map
from .new_package.packages import PackagePlan, add_classes, add_packages

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from .files.directives import Document
    from .files.python_source import Source
    from .new_package.packages import Init
    from .registry.snapshot import Snapshot

__all__ = ["GeneratedFiles", "generate"]


@dataclass
class GeneratedFiles:
    """What came of it.

    Attributes:
        texts: The new text of each file, changed or not.
        notes: What a user should know, a line each.
        has_directives: Whether any file has a directive.

    """

    texts: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    has_directives: bool = False

    def list_changed(self, read: Mapping[Path, str]) -> dict[Path, str]:
        """Return the new texts that are not what was read.

        Raises:
            StubError: A file would be written over that was not read.

        """
        changed = {path: text for path, text in self.texts.items() if read.get(path) != text}
        require_read(read, changed)
        return changed


def generate(
    texts: Mapping[Path, str], snapshot: Snapshot, *, unit: str = "    ", init: Init | None = None
) -> GeneratedFiles:
    """Fill all blocks.

    Args:
        texts: The files.
        snapshot: What is registered.
        unit: The blanks of one level of indentation.
        init: What to begin where nothing is yet, or None.

    Raises:
        StubError: A directive is wrong, a file is no Python, or a block names what is not registered.

    """
    result = GeneratedFiles()
    documents = {path: parse_document(text, str(path)) for path, text in texts.items() if path.name != TYPED}
    # Other files in the folder need not even be Python.
    sources = {path: read_source(document) for path, document in documents.items() if document.is_to_be_filled}
    known = {**sources, **_read_others(documents, sources)}
    classes = Classes(read_type_map(documents.values()), find_places(documents, known), snapshot, documents)
    plan = PackagePlan(snapshot, classes, result.notes)
    if init is not None:
        typed = add_packages(init, documents, snapshot, plan) / TYPED
        result.texts[typed] = texts.get(typed, "")
    add_classes(documents, snapshot, plan)
    to_be_filled = {path: document for path, document in documents.items() if document.is_to_be_filled}
    run = Run(to_be_filled, snapshot, classes, unit)
    for path, file in run.files.items():
        filled = file.filled()
        if filled.text != texts.get(path):
            _require_python(filled)
        result.texts[path] = filled.text
    result.notes += run.notes
    result.has_directives = any(document.has_directive for document in documents.values())
    return result


def _read_others(documents: Mapping[Path, Document], read: Collection[Path]) -> dict[Path, Source]:
    """Read files without directives, which may register classes. They need not be Python."""
    sources = {}
    for path, document in documents.items():
        if path not in read:
            with contextlib.suppress(StubError):
                sources[path] = read_source(document)
    return sources


def _require_python(document: Document) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(document.text.removeprefix("\ufeff"), document.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        line, reason = getattr(error, "lineno", None) or 1, str(getattr(error, "msg", error)) or "nested too deeply"
        raise StubError(f"{document.path}:{line}: the generated file would not parse: {reason}") from None
