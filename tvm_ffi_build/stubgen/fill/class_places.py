"""Where the Python classes of registered types are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..files.module_names import find_module_name
from ..files.python_names import is_dotted_name
from .imports import python_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from ..files.directives import Document
    from ..files.python_source import Source
    from ..registry.snapshot import Snapshot

__all__ = ["Classes", "Place", "find_places", "read_type_map"]


@dataclass(frozen=True)
class Place:
    """Where the class of a registered type is: a file, and its name there."""

    path: Path
    name: str


def read_type_map(documents: Iterable[Document]) -> dict[str, str]:
    """Return what the directives ``ty-map`` of all files say."""
    mapped: dict[str, str] = {}
    for document in documents:
        for directive in document.directives("ty-map"):
            left, _, right = (part.strip() for part in directive.payload.partition("->"))
            mapped[left] = right
    return mapped


def find_places(documents: Mapping[Path, Document], sources: Mapping[Path, Source]) -> dict[str, Place]:
    """Return the classes that have blocks or are registered, by their type keys."""
    found: dict[str, Place] = {}
    for path, source in sources.items():
        for block in documents[path].blocks:
            if block.kind == "object":
                around = source.classes.get(block.line)
                name = around.name if around else block.parameter.rpartition(".")[2]
                found.setdefault(block.parameter, Place(path, name))
    for path, source in sources.items():
        for key, name in source.registers.items():
            found.setdefault(key, Place(path, name))
    return found


@dataclass
class Classes:
    """Where the Python classes of registered types are. Grows as the run starts new classes.

    Attributes:
        mapped: What the directives ``ty-map`` say.
        places: Those that have blocks or are to have them, by their type keys. Add with :meth:`add`.
        snapshot: What is registered.
        files: Those of the run, of which some may still have to be written.

    """

    mapped: Mapping[str, str]
    places: dict[str, Place]
    snapshot: Snapshot
    files: Collection[Path]

    def add(self, key: str, path: Path) -> None:
        """Note that a file is to have the class of a type, under the last part of the type key."""
        self.places[key] = Place(path, key.rpartition(".")[2])

    def names_in(self, path: Path) -> set[str]:
        """Return the names of the classes in a file."""
        return {place.name for place in self.places.values() if place.path == path}

    def file_of(self, key: str | None) -> Path | None:
        """Return the file that has the class of a type; None if no file of the run has it."""
        place = self.places.get(key) if key is not None else None
        return place.path if place is not None else None

    def seen_from(self, path: Path, key: str) -> str:
        """Return the path to import a class from; its name alone where the file has it."""
        place = self.places.get(key)
        if place is not None and place.path == path:
            return place.name
        if key in self.mapped:
            return python_path(self.mapped[key])
        if place is not None:
            return f"{find_module_name(place.path, key.rpartition('.')[0], self.files)}.{place.name}"
        of = self.snapshot.types.get(key)
        if of is not None and of.python is not None and is_dotted_name(of.python):
            return of.python
        # Of one family with what is generated here, and still without a class: the nearest ancestor that has one.
        family = key.partition(".")[0]
        if of is not None and of.parent is not None and any(known.partition(".")[0] == family for known in self.places):
            return self.seen_from(path, of.parent)
        return python_path(key)
