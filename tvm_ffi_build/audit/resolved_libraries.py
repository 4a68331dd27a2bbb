"""Which libraries of a wheel a process has loaded where it looks up the symbols of one of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..platforms.systems import base_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..binaries import Image
    from .subject import Subject

__all__ = ["ResolvedLibraries", "find_reachable", "resolve_libraries"]


@dataclass(frozen=True)
class ResolvedLibraries:
    """The libraries of a wheel for one architecture, and how they are loaded.

    Attributes:
        images: What each says of itself, by its name in the wheel.
        named: The libraries that a name may stand for, by the last part of it in lower case: a file's or an own name.
        reached: The libraries that are loaded with each one: itself and all that it needs, near and far.

    """

    images: Mapping[str, Image]
    named: Mapping[str, frozenset[str]]
    reached: Mapping[str, frozenset[str]]

    def find_named(self, needed: str) -> frozenset[str]:
        """Return the libraries of the wheel that a name which another one needs may stand for."""
        return self.named.get(base_name(needed), frozenset())

    def find_scope(self, name: str) -> frozenset[str]:
        """Return what a library's symbols can be looked up in: what is loaded with it, or with what needs it.

        The dynamic linkers of Linux search what came with the library that a program asked for, for all of its needs.
        """
        return frozenset().union(*(reached for reached in self.reached.values() if name in reached))

    def subtract_exports(self, symbols: Iterable[str], names: Iterable[str]) -> set[str]:
        """Return those of some symbols that none of some libraries exports."""
        left = set(symbols)
        for name in names if left else ():
            left.difference_update(symbol.name for symbol in self.images[name].exports)
        return left

    def needs_only(self, names: Iterable[str], known: Callable[[str], bool]) -> bool:
        """Say whether all that some libraries need is in the wheel, or is known."""
        needed = {needed for name in names for needed in self.images[name].libraries}
        return all(self.find_named(one) or known(one) for one in needed)


def resolve_libraries(subject: Subject, architecture: str) -> ResolvedLibraries:
    """Return the libraries that a process of one architecture can load."""
    images = {
        name: image
        for name, binary in subject.binaries.items()
        for image in binary.images
        if image.architecture == architecture
    }
    named: dict[str, set[str]] = defaultdict(set)
    for name, image in images.items():
        for own in filter(None, (name, image.name)):
            named[base_name(own)].add(name)
    needs = {
        name: {other for needed in image.libraries for other in named.get(base_name(needed), ())}
        for name, image in images.items()
    }
    return ResolvedLibraries(
        images,
        {name: frozenset(found) for name, found in named.items()},
        {name: find_reachable([name], needs.__getitem__) for name in images},
    )


def find_reachable(start: Iterable[str], list_next: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Return some names and all that they lead to, directly or by way of others."""
    found = set(start)
    waiting = list(found)
    while waiting:
        new = set(list_next(waiting.pop())) - found
        found |= new
        waiting += new
    return frozenset(found)
