"""``[tool.tvm-ffi-build.audit]``: which rules a project's wheels are held to."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ProjectError
from ..external_libraries.presets import list_globs
from ..platforms.cuda_architectures import parse_declared
from ..pyproject.tables import AUDIT, GPU, REPAIR

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ..platforms.cuda_architectures import DeclaredArchitecture

__all__ = ["Settings", "read_settings"]


class Settings(NamedTuple):
    """The table.

    Attributes:
        select: Ids of rules, or how they begin; empty for all.
        ignore: The same, of those to leave out.
        per_file: The same, by patterns (:mod:`fnmatch`) for files of the wheel.
        strict: Whether a warning, too, is a failure.
        external: Patterns for libraries that users have from elsewhere.
        debug_share: How much of a library may be debug information, 0 to 1.
        architectures: What CUDA code is declared to be compiled for.
        load: Whether libraries may be loaded, which runs their code. An option alone sets it.
        imports: Whether packages are imported, which runs their code too. An option alone sets it.

    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    strict: bool = False
    external: tuple[str, ...] = ()
    debug_share: float = 0.5
    architectures: tuple[DeclaredArchitecture, ...] = ()
    load: bool = False
    imports: bool = False

    def asks_for(self, rule: str) -> bool:
        """Say whether a rule is to be checked."""
        return rule.startswith(self.select or ("",)) and not (self.ignore and rule.startswith(self.ignore))

    def ignores(self, rule: str, file: str) -> bool:
        """Say whether what a rule finds in a file does not count."""
        return any(rule.startswith(prefixes) and fnmatchcase(file, glob) for glob, prefixes in self.per_file)

    def narrowed(self, select: tuple[str, ...], ignore: tuple[str, ...], *, strict: bool) -> Settings:
        """Return these settings as options change them: select instead of what is here, all else beside it."""
        return self._replace(select=select or self.select, ignore=self.ignore + ignore, strict=self.strict or strict)

    def checked(self, known: Collection[str], source: str) -> Settings:
        """Return these settings, if there is a rule for each of their prefixes.

        Raises:
            ProjectError: There is none for one.

        """
        for prefix in (*self.select, *self.ignore, *(one for _, prefixes in self.per_file for one in prefixes)):
            if not prefix or not any(rule.startswith(prefix) for rule in known):
                families = ", ".join(sorted({rule[:2] for rule in known}))
                raise ProjectError(f"{source}: no rule is or starts with {prefix!r}", f"the families are {families}")
        return self


def read_settings(folder: Path) -> Settings:
    """Read the table in the ``pyproject.toml`` of a folder, and what repairs leave out; without them nothing is set.

    Raises:
        ProjectError: It has what is not known, or not of the type that it should be.

    """
    values, repair = AUDIT.read(folder), REPAIR.read(folder)
    return Settings(
        select=tuple(values["select"]),
        ignore=tuple(values["ignore"]),
        per_file=tuple((glob, tuple(prefixes)) for glob, prefixes in values["per-file-ignores"].items()),
        strict=values["strict"],
        # What is left out of the wheels on purpose is what users have from elsewhere.
        external=(*values["external"], *repair["exclude"], *list_globs(repair["preset"])),
        debug_share=float(values["debug-share"]),
        architectures=parse_declared(GPU.read(folder)["architectures"]),
    )
