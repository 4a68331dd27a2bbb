"""Which libraries stay out of a wheel, since the user, another package or the system has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..external_libraries.presets import is_named, list_globs
from ..platforms.systems import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Excludes"]


# Linux has the version after the ending, macOS and Windows have it before.
_WITHOUT_VERSION = re.compile(r"(?<=\.so)(\.\d+)+$", re.IGNORECASE)
_ENDING = re.compile(r"(\.(?:dylib|dll))$", re.IGNORECASE)
# What a pattern may have left out of a name.
_VERSION = re.compile(r"[-._]?\d[\w.]*|(\.so|\.dylib|\.dll)?([.-]\d[\w.]*)?", re.IGNORECASE)


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

    def near_misses(self, libraries: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """Yield libraries that a pattern misses by the version in their names, with that pattern and one that matches.

        >>> list(Excludes(("libfoo.so", "libbar.so*")).near_misses(["libfoo.so.5", "libbar.so.1", "libfoo_cpu.so"]))
        [('libfoo.so.5', 'libfoo.so', 'libfoo.so*')]
        """
        for library in libraries:
            if self.match(library):
                continue
            for glob in self.globs:
                other = _WITHOUT_VERSION.sub("", glob)
                for wider in (f"{other}*", _ENDING.sub(r"*\1", other)):
                    if wider != glob and _is_version_of(library, wider):
                        yield library, glob, wider
                        break

    def unmatched(self, libraries: Iterable[str]) -> list[str]:
        """Return the options that leave out none of some libraries."""
        libraries = list(libraries)
        globs = [(f"--exclude {glob}", Excludes((glob,))) for glob in self.globs]
        presets = [(f"--preset {name}", Excludes(presets=(name,))) for name in self.presets]
        return [option for option, alone in (*globs, *presets) if not any(map(alone.match, libraries))]


def _is_version_of(library: str, glob: str) -> bool:
    """Say whether a pattern matches a library and its one added ``*`` stands for a version or an ending."""
    if not is_named(library, glob):
        return False
    before, _, after = glob.lower().rpartition("*")
    if any(character in before + after for character in "*?["):
        return True
    name = base_name(library) if "/" not in glob else library.lower()
    return _VERSION.fullmatch(name[len(before) : len(name) - len(after)]) is not None
