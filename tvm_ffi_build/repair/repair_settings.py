"""``[tool.tvm-ffi-build.repair]``: what a project wants of every repair of its wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import ProjectError
from ..external_libraries.presets import PRESETS
from ..pyproject.tables import REPAIR
from .excludes import Excludes
from .plan import Request

if TYPE_CHECKING:
    from pathlib import Path

    from ..audit import Settings

__all__ = ["RepairSettings", "read_repair_settings"]


class RepairSettings(NamedTuple):
    """The table; see :class:`~tvm_ffi_build.repair.plan.Request`."""

    globs: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    library_paths: tuple[Path, ...] = ()
    strip: bool = False

    def extended(self, other: RepairSettings) -> RepairSettings:
        """Return these settings and others."""
        return RepairSettings(
            self.globs + other.globs,
            self.presets + other.presets,
            self.library_paths + other.library_paths,
            self.strip or other.strip,
        )

    def request(self, output: Path, platform_tag: str | None = None, audit: Settings | None = None) -> Request:
        """Return the request for a repair with these settings."""
        # Absolute, since the tools run in a folder of their own.
        paths = tuple(path.absolute() for path in self.library_paths)
        return Request(output, platform_tag, Excludes(self.globs, self.presets), paths, self.strip, audit)


def read_repair_settings(folder: Path) -> RepairSettings:
    """Read the table in the ``pyproject.toml`` of a folder; without file or table, nothing is set.

    Raises:
        ProjectError: It has what is not known, or not of the type that it should be.

    """
    values = REPAIR.read(folder)
    for preset in values["preset"]:
        if preset not in PRESETS:
            path = folder / "pyproject.toml"
            raise ProjectError(f"{path}: preset {preset!r} is not known", f"there are {', '.join(sorted(PRESETS))}")
    return RepairSettings(
        globs=tuple(values["exclude"]),
        presets=tuple(values["preset"]),
        library_paths=tuple(folder / name for name in values["lib-path"]),
        strip=values["strip"],
    )
