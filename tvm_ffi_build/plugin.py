"""The scikit-build-core entry points: build defaults, and the runtime as a requirement of the wheel.

scikit-build-core (1.0 and later) calls :func:`config` for *every* project that is built in an environment with this
package, so it has to be silent and cheap for the others. It cannot be given the project; the project's folder is the
working directory (PEP 517).
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import cmake_dir, cmake_variables
from .errors import ProjectError, TvmFfiBuildError
from .platforms.cuda_architectures import parse_declared
from .pyproject.build_system import read_project
from .pyproject.tables import GPU, RUNTIME
from .runtime import find_runtime
from .terminal.command import end_with_error
from .terminal.streams import write_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pyproject.build_system import Project

__all__ = ["HAS_CONFIG_ENTRY_POINT", "RuntimeRequirement", "config", "providers_are_off"]

_PROGRAM = "tvm-ffi-build"
_SWITCH = "SKBUILD_NO_ENTRYPOINT_CONFIG"

# On Python 3.9 and 3.10 pip refuses the name of that entry point; hatch_build.py has the story.
HAS_CONFIG_ENTRY_POINT = sys.version_info >= (3, 11)


def config(*, state: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Return defaults, shaped like ``[tool.scikit-build]``, for a project that asks for this plugin; else ``{}``.

    Args:
        state: What is being made: ``sdist``, ``wheel``, ``editable``, ``metadata_wheel`` or ``metadata_editable``.
        env: The environment of the build.

    """
    try:
        project = read_project(Path.cwd())
    except ProjectError:
        # Somebody else's project, or one that scikit-build-core itself is about to refuse.
        return {}
    if not project.uses_this_plugin:
        return {}
    wheel: dict[str, Any] = {"reproducible": True}
    if not project.binds_python and not project.uses_setuptools:
        wheel["py-api"] = "py3"
    if state == "sdist":
        # Packing sources needs no runtime.
        return {"wheel": wheel}
    return {"wheel": wheel, "cmake": {"define": _cmake_defines(project, env)}}


def _cmake_defines(project: Project, env: Mapping[str, str]) -> dict[str, Any]:
    try:
        variables = {**cmake_variables(find_runtime()), **_gpu_variables(Path.cwd(), env)}
    except TvmFfiBuildError as error:
        end_with_error(error, program=_PROGRAM)
    return {
        # find_package() looks into <name>_DIR before anything else ("Config Mode Search Procedure" in its manual), a
        # project's own tvm_ffi_ROOT included.
        "tvm_ffi_DIR": cmake_dir().as_posix(),
        **variables,
        "TVM_FFI_PYTHON": Path(sys.executable).as_posix(),
        "TVM_FFI_WHEEL_IS_AGNOSTIC": _is_agnostic(project, env),
        "TVM_FFI_WHEEL_PACKAGES": ";".join(_packages(project, env)),
    }


def _gpu_variables(folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Return what CMake is told of GPUs; where the user has set CMake's own variable, that decides."""
    settings = GPU.read(folder)
    variables: dict[str, Any] = {} if settings["check"] else {"TVM_FFI_CHECK_GPU": False}
    architectures = parse_declared(settings["architectures"])
    if architectures and not env.get("CUDAARCHS"):
        variables["CMAKE_CUDA_ARCHITECTURES"] = ";".join(one.cmake for one in architectures)
    return variables


def _packages(project: Project, env: Mapping[str, str]) -> list[str]:
    """Return the directories that the wheel may take packages from; none where that cannot be told."""
    if project.uses_setuptools or env.get("SKBUILD_WHEEL_PACKAGES"):
        return []
    return [Path(Path.cwd(), directory).as_posix() for directory in project.packages]


def _is_agnostic(project: Project, env: Mapping[str, str]) -> bool:
    """Return whether it is sure that the wheel will be tagged for any Python 3.

    It is not where overrides decide, nor with setuptools, whose command for wheels makes the tag. What is given as
    ``-C wheel.py-api=...`` cannot be seen.
    """
    if project.uses_setuptools:
        return False
    default = "" if project.binds_python else "py3"
    return all((default if value is None else value).startswith("py") for value in _written_py_apis(project, env))


def _written_py_apis(project: Project, env: Mapping[str, str]) -> frozenset[str | None]:
    """Return what ``wheel.py-api`` may be set to, by scikit-build-core's order of precedence; None is "not set"."""
    from_environment = env.get("SKBUILD_WHEEL_PY_API")
    return frozenset([from_environment]) if from_environment else project.py_apis


def providers_are_off(env: Mapping[str, str]) -> bool:
    """Return whether scikit-build-core is told not to call :func:`config`, and reads the word as it does."""
    return env.get(_SWITCH, "").strip().lower() not in {"", "0", "false", "off", "no", "n", "f"}


class RuntimeRequirement:
    """Dynamic-metadata provider: adds the runtime to ``dependencies`` of a wheel, never of an sdist.

    A project lists ``dynamic = ["dependencies"]`` and ``[[tool.dynamic-metadata]]`` with
    ``provider = "tvm-ffi-build"``. Its static ``dependencies`` stay (PEP 808).
    """

    def __init__(self) -> None:
        self._state = "wheel"

    def build_state(self, build_state: str) -> None:
        """Take note of what is being made."""
        self._state = build_state

    def dynamic_wheel(self, settings: Mapping[str, Any]) -> dict[str, bool]:  # noqa: ARG002
        """Say that a wheel's dependencies may differ from the sdist's (metadata 2.2)."""
        return {"dependencies": True}

    def dynamic_metadata(self, settings: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return the requirement, as an addition to ``[project]``."""
        if settings:
            unknown = ", ".join(sorted(settings))
            end_with_error(
                ProjectError(f"provider 'tvm-ffi-build' in tool.dynamic-metadata has no option {unknown}"),
                program=_PROGRAM,
            )
        if providers_are_off(os.environ):
            # The one of the two entry points that is still called.
            write_message(
                f"{_PROGRAM}: warning: {_SWITCH} is set: this build gets no defaults of tvm-ffi-build, "
                "neither its CMake package nor the tag py3; unset it\n"
            )
        if self._state == "sdist":
            # Which runtime a wheel is built against is only known when one is built.
            return {"dependencies": []}
        if not HAS_CONFIG_ENTRY_POINT:
            _stand_in_for_config()
        from .contract.requirement import runtime_requirement  # noqa: PLC0415  (config alone does not need it)

        try:
            bounds = RUNTIME.read(Path.cwd())["requires"]
            return {"dependencies": [runtime_requirement(find_runtime().version, bounds)]}
        except TvmFfiBuildError as error:
            end_with_error(error, program=_PROGRAM)


def _stand_in_for_config() -> None:
    """Do what :func:`config` does where its entry point cannot be installed, as far as that is possible from here.

    Metadata is made before CMake is configured, and scikit-build-core reads CMAKE_ARGS only then. The tag it has read
    already, so that has to be the project's own word.
    """
    try:
        project = read_project(Path.cwd())
    except ProjectError as error:
        end_with_error(error, program=_PROGRAM)
    if not project.binds_python and None in _written_py_apis(project, os.environ):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        problem = ProjectError(
            f"on Python {version} the tag py3 cannot be set for the project",
            'write wheel.py-api = "py3" in [tool.scikit-build], or build with Python 3.11 or newer',
        )
        end_with_error(problem, program=_PROGRAM)
    defines = _cmake_defines(project, os.environ)
    arguments = [f"-D{name}={value}" for name, value in defines.items()]
    os.environ["CMAKE_ARGS"] = f"{shlex.join(arguments)} {os.environ.get('CMAKE_ARGS', '')}"
