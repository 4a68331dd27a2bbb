"""What is known to go wrong with a build, before anything is started."""

from __future__ import annotations

import importlib.metadata
import os
import re
from typing import TYPE_CHECKING

from ..errors import ProjectError
from ..host.programs import python_command
from ..plugin import HAS_CONFIG_ENTRY_POINT, providers_are_off
from ..pyproject.build_system import read_project
from ..pyproject.tables import RUNTIME

if TYPE_CHECKING:
    from ..frontend.run_frontend import BuildRequest
    from ..pyproject.build_system import Project
    from ..terminal.output import Output

__all__ = ["checked_project"]

# Control characters, and what Python makes of bytes that are no UTF-8.
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def checked_project(request: BuildRequest, output: Output) -> Project:
    """Read the project of a build; warn of what is likely to go wrong.

    Raises:
        ProjectError: It cannot be built, or a setting is not ``key=value``.

    """
    project = read_project(request.source)
    RUNTIME.read(request.source)
    if project.backend is None:
        raise ProjectError(
            f"{request.source / 'pyproject.toml'} has no build-backend",
            "write [build-system] with "
            'requires = ["scikit-build-core>=1.0", "tvm-ffi-build"] and build-backend = "scikit_build_core.build"',
        )
    for setting in request.config_settings:
        if not setting.partition("=")[0] or "=" not in setting:
            raise ProjectError(f"config setting {setting!r} is not KEY=VALUE")
    for folder in (request.source, request.output):
        if _NO_TEXT.search(str(folder.resolve())):
            # Neither CMake nor a file's URL can carry them.
            raise ProjectError(
                f"{str(folder)!r} contains a line break or bytes that are not text", "rename the directory"
            )
    if project.uses_this_plugin:
        _require_reach(project)
        if not request.isolated:
            _require_plugin_points()
        if providers_are_off(os.environ):
            output.warn("SKBUILD_NO_ENTRYPOINT_CONFIG is set, so this build does not use the defaults of tvm-ffi-build")
    return project


def _require_reach(project: Project) -> None:
    """Check that what the project is built by calls this plugin, which on older Pythons is not a matter of course."""
    if HAS_CONFIG_ENTRY_POINT or project.uses_provider or project.backend == "mesonpy":
        return
    if project.backend != "scikit_build_core.build":
        raise ProjectError(
            f"below Python 3.11 tvm-ffi-build does not reach a build by {project.backend}",
            "build with a newer Python: a py3 wheel supports older versions too",
        )
    raise ProjectError(
        "below Python 3.11 tvm-ffi-build takes part in a build only through its metadata provider",
        'write [[tool.dynamic-metadata]] with provider = "tvm-ffi-build", and dynamic = ["dependencies"] in [project]',
    )


def _require_plugin_points() -> None:
    """Check that the scikit-build-core of this environment knows the entry points of the plugin."""
    from packaging.version import Version  # noqa: PLC0415

    try:
        version = importlib.metadata.version("scikit-build-core")
    except importlib.metadata.PackageNotFoundError:
        return  # another backend
    if Version(version) < Version("1.0"):
        raise ProjectError(
            f"scikit-build-core {version} cannot be plugged into, 1.0 can",
            command=f"{python_command()} -m pip install 'scikit-build-core>=1.0'",
        )
