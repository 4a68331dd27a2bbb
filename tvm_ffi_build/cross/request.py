"""What turns the build of a wheel into one for another platform: variables that it sees, and a check of the project."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ProjectError
from ..platforms.systems import WINDOWS
from ..pyproject.build_system import read_project
from ..pyproject.tables import read_table
from ..runtime import ENVIRONMENT_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from ..frontend.run_frontend import BuildRequest
    from ..runtime import Runtime
    from .build_folder import BuildFolder
    from .targets import Target

__all__ = ["READ_SNAPSHOTS", "WRITE_SNAPSHOTS", "for_target", "require_crossable", "with_fixed_paths"]

# Folders of registry snapshots, for cmake/stubs.cmake: to leave them in, and to take them from.
WRITE_SNAPSHOTS = "TVM_FFI_WRITE_SNAPSHOTS"
READ_SNAPSHOTS = "TVM_FFI_READ_SNAPSHOTS"
# What linkers of Windows libraries leave for others to link to, which nobody can from a wheel.
_IMPORT_LIBRARIES = "**/*.dll.a"


def require_crossable(request: BuildRequest) -> None:
    """Check that a project's wheel is the same for every Python, so that none of another platform is needed.

    Args:
        request: The build as it is for this machine.

    Raises:
        ProjectError: It is not, or nobody can say so.

    """
    project = read_project(request.source)
    path = request.source / "pyproject.toml"
    if not project.uses_this_plugin:
        raise ProjectError(
            f"{path} does not ask for tvm-ffi-build, which is what makes builds for other platforms",
            'write "tvm-ffi-build" in build-system.requires',
        )
    if project.backend == "mesonpy":
        raise ProjectError(
            f"{path} has the build-backend mesonpy, which builds only for this machine",
            "build it on each platform, without --platform",
        )
    if project.binds_python:
        raise ProjectError(
            f"{path} requires a binding generator for CPython, so its wheel is for the Python of this machine",
            "build it there, or without --platform",
        )
    asked = _read_setting(request, "wheel.py-api")
    apis = project.py_apis if asked is None else {asked}
    for value in sorted(api for api in apis if api is not None):
        if not value.startswith("py"):
            raise ProjectError(
                f"wheel.py-api of {request.source} is {value!r}, so its wheel is for the Python of this machine",
                "build it there, or without --platform",
            )


def for_target(
    request: BuildRequest, target: Target, runtime: Runtime, toolchain: Path, folder: BuildFolder
) -> BuildRequest:
    """Return the request for another platform.

    Args:
        request: The build as it is for this machine.
        target: The platform.
        runtime: The runtime for it.
        toolchain: CMake's toolchain file for it.
        folder: A new one, for the build.

    """
    environment = {
        "SKBUILD_CMAKE_TOOLCHAIN_FILE": str(toolchain),
        "SKBUILD_WHEEL_TAGS": f"py3-none-{target.built_tag}",
    }
    # hatchling's builds stop at the setting.
    if target.system == WINDOWS and read_project(request.source).backend != "hatchling.build":
        environment["SKBUILD_WHEEL_EXCLUDE"] = ";".join([*_excluded_files(request), _IMPORT_LIBRARIES])
    request = with_fixed_paths(request, runtime, folder)
    return replace(request, environment={**request.environment, **environment}, platform=target.tag)


def with_fixed_paths(request: BuildRequest, runtime: Runtime, folder: BuildFolder) -> BuildRequest:
    """Return the request with a runtime and a folder that do not move, as those of isolated environments do.

    Args:
        request: The build.
        runtime: What it is built against.
        folder: A new one, for the build; one that the project names for its builds has another platform's cache in it.

    """
    environment = {ENVIRONMENT_VARIABLE: str(runtime.package.parent), "SKBUILD_BUILD_DIR": str(folder.path)}
    return replace(request, environment={**request.environment, **environment}, held=folder.lock)


def _excluded_files(request: BuildRequest) -> list[str]:
    """Return what is left out of the wheel without us, since a variable replaces the list."""
    asked = _read_setting(request, "wheel.exclude")
    if asked is not None:
        return asked.split(";") if asked else []
    patterns = read_table(request.source / "pyproject.toml", "tool", "scikit-build", "wheel").get("exclude", [])
    return [pattern for pattern in patterns if isinstance(pattern, str)] if isinstance(patterns, list) else []


def _read_setting(request: BuildRequest, setting: str) -> str | None:
    """Return what scikit-build-core is told of a setting beside pyproject.toml, in its order; None is "nothing"."""
    variable = os.environ.get(f"SKBUILD_{setting.upper().replace('.', '_').replace('-', '_')}")
    if variable:
        return variable
    settings = [each.partition("=") for each in request.config_settings]
    for key in (f"skbuild.{setting}", setting):
        values = [value for name, _, value in settings if name == key]
        if values:
            return ";".join(values)
    return None
