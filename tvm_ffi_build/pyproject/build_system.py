"""What a project's ``pyproject.toml`` says, as far as this package cares."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ProjectError
from .tables import read_toml, table_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Project", "find_project", "read_project"]

# Their extension modules call into one CPython, so a wheel that holds one is never "py3".
_PYTHON_BINDINGS = frozenset({"pybind11", "nanobind", "cython"})


# No dataclass: their module imports inspect, which takes longer than all the rest of the plugin's import.
class Project(NamedTuple):
    """The parts of a ``pyproject.toml`` that decide how a project is built.

    Attributes:
        backend: What ``build-system.build-backend`` says; None if it is not there.
        build_requires: Normalized names of the distributions in ``build-system.requires``.
        uses_provider: Whether its dynamic metadata comes from this plugin.
        py_apis: What ``tool.scikit-build.wheel.py-api`` may be in a build: one value, or more where overrides decide.
            None stands for "left to the defaults".
        packages: The directories that scikit-build-core may take packages from, relative to the project. Empty where it
            takes none.

    """

    backend: str | None
    build_requires: frozenset[str]
    uses_provider: bool
    py_apis: frozenset[str | None]
    packages: tuple[str, ...]

    @property
    def uses_this_plugin(self) -> bool:
        """Whether the project asks for tvm-ffi-build."""
        return "tvm-ffi-build" in self.build_requires

    @property
    def uses_setuptools(self) -> bool:
        """Whether setuptools makes the wheel, and thus its tag."""
        return self.backend is not None and "setuptools" in self.backend

    @property
    def binds_python(self) -> bool:
        """Whether the project also builds extension modules for CPython."""
        return not self.build_requires.isdisjoint(_PYTHON_BINDINGS)


def find_project(folder: Path) -> Path:
    """Return the nearest directory with a ``pyproject.toml``, from one upwards, or the same one if there is none."""
    for parent in (folder, *folder.resolve().parents):
        # A broken link is the project's own mistake, not a reason to build the project around it.
        if os.path.lexists(parent / "pyproject.toml"):
            return parent
    return folder


def read_project(folder: Path) -> Project:
    """Read ``pyproject.toml`` in a folder.

    Raises:
        ProjectError: The file is missing, cannot be read or is not TOML, or its tables are not tables.

    """
    path = folder / "pyproject.toml"
    data = read_toml(path)
    system = table_in(data, path, "build-system")
    requires, backend = system.get("requires", []), system.get("build-backend")
    if not isinstance(requires, list):
        raise ProjectError(f"{path}: build-system.requires is not a list")
    return Project(
        backend=backend if isinstance(backend, str) else None,
        build_requires=frozenset(
            _normalize_name(requirement) for requirement in requires if isinstance(requirement, str)
        ),
        uses_provider=_uses_provider(table_in(data, path, "tool").get("dynamic-metadata")),
        py_apis=frozenset(_find_py_apis(data, path)),
        packages=tuple(dict.fromkeys(_packages(data, path))),
    )


def _uses_provider(entries: object) -> bool:
    return isinstance(entries, list) and any(
        isinstance(entry, dict) and entry.get("provider") == "tvm-ffi-build" for entry in entries
    )


def _find_py_apis(data: dict[str, Any], path: Path) -> Iterator[str | None]:
    """Yield the value of ``wheel.py-api`` and those that an override may put in its place."""
    for number, value in enumerate(_wheel_settings(data, path, "py-api")):
        if isinstance(value, str):
            yield value
        elif number == 0:
            yield None


def _packages(data: dict[str, Any], path: Path) -> Iterator[str]:
    """Yield the directories of ``wheel.packages``, those of overrides too, or those that it looks for itself."""
    for number, value in enumerate(_wheel_settings(data, path, "packages")):
        if isinstance(value, (list, dict)):
            # A list of directories, or a table from their places in the wheel.
            directories = value.values() if isinstance(value, dict) else value
            yield from (directory for directory in directories if isinstance(directory, str))
        elif number == 0:
            name = table_in(data, path, "project").get("name")
            parts = name.replace("-", "_").split(".") if isinstance(name, str) else []
            yield from (f"{base}{joint.join(parts)}" for base in ("src/", "python/", "") for joint in "_/" if parts)


def _wheel_settings(data: dict[str, Any], path: Path, key: str) -> Iterator[object]:
    """Yield what ``tool.scikit-build.wheel`` says of a key, or None, and then what each override says."""
    table = table_in(data, path, "tool", "scikit-build")
    overrides = table.get("overrides", [])
    for settings in [table, *(overrides if isinstance(overrides, list) else [])]:
        wheel = settings.get("wheel", {}) if isinstance(settings, dict) else {}
        # Both spellings of a TOML key: wheel.py-api = ... and, in overrides too, a table.
        yield wheel.get(key) if isinstance(wheel, dict) else None


def _normalize_name(requirement: str) -> str:
    """Return the normalized name (PEP 503) that a requirement (PEP 508) starts with."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415  (25 ms that importing the plugin need not take)

    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return canonicalize_name(match[1]) if match else ""
