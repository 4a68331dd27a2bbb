"""Which libraries stay out of a wheel, since the user, another package or the system has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..external_libraries.presets import is_named, list_globs

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["Excludes"]


class Excludes(NamedTuple):
    """What to leave out; the runtime's library is left out whatever stands here.

    Attributes:
        globs: Patterns of :mod:`fnmatch` for the name that a library is asked for by, or its last part; upper and
            lower case are the same, as on two of three systems.
        presets: Names of :data:`~tvm_ffi_build.external_libraries.presets.PRESETS`.

    """

    globs: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()

    def all_globs(self) -> tuple[str, ...]:
        """Return the patterns, those of the presets too."""
        return (*self.globs, *list_globs(self.presets))

    def match(self, library: str) -> bool:
        """Say whether a library is left out."""
        return any(is_named(library, glob) for glob in self.all_globs())

    def unmatched(self, libraries: Iterable[str]) -> list[str]:
        """Return the options that leave out none of some libraries."""
        libraries = list(libraries)
        globs = [(f"--exclude {glob}", Excludes((glob,))) for glob in self.globs]
        presets = [(f"--preset {name}", Excludes(presets=(name,))) for name in self.presets]
        return [option for option, alone in (*globs, *presets) if not any(map(alone.match, libraries))]
