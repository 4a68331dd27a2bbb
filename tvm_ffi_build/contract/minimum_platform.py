"""The lowest platform that the runtime itself is there for: below it a wheel could be installed, and never used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet

from ..platforms.tags import oldest_system
from ..runtime import DISTRIBUTION
from .releases.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Floor", "find_floor"]


class Floor(NamedTuple):
    """What the runtime's wheels need.

    Attributes:
        version: Of glibc or macOS; None if none of the releases that a wheel admits has wheels for the platform.
        requirement: What the wheel says of the releases that it admits.

    """

    version: tuple[int, int] | None
    requirement: str

    def warnings(self, platform: str) -> Iterator[str]:
        """Yield what a user should know where the runtime has no wheels for a platform at all."""
        if self.version is None:
            yield f"{self.requirement}, which the wheel needs, has no wheels for {platform}: its users must build it"


def find_floor(bounds: Iterable[SpecifierSet], family: str) -> Floor:
    """Return the lowest tag that a runtime has wheels for, of those that a wheel admits.

    Args:
        bounds: What the wheel requires of the runtime; without any it allows every release.
        family: A tag without its version, as :func:`~tvm_ffi_build.platforms.tags.tag_pattern` spells it.

    """
    ledger = read_ledger()
    found = list(bounds) or [SpecifierSet()]
    admitted = {release for one in found for release in one.filter(ledger.releases, prereleases=True)} - ledger.yanked
    # Releases that are newer than the ledger have what the newest in it has, as far as anybody knows.
    admitted = admitted or {ledger.releases[-1]}
    tags = [tag for tag, releases in ledger.platforms.get(family, {}).items() if not admitted.isdisjoint(releases)]
    return Floor((oldest_system(tags) or (0, 0)) if tags else None, f"{DISTRIBUTION}{found[0]}")
