"""What a ``setup.py`` takes from here: the tag of its wheel, and the requirement on the runtime."""

from __future__ import annotations

from pathlib import Path

from setuptools.command.bdist_wheel import bdist_wheel

from .binaries import kind_of_file
from .binaries.python_calls import require_agnostic
from .contract import requirement
from .errors import ProjectError, TvmFfiBuildError
from .pyproject.tables import RUNTIME
from .runtime import find_runtime
from .terminal.command import end_with_error

__all__ = ["Py3Wheel", "runtime_requirement"]

_PROGRAM = "tvm-ffi-build"


class Py3Wheel(bdist_wheel):
    """``bdist_wheel`` for libraries that know nothing of CPython: the wheel is ``py3-none-<platform>``."""

    def finalize_options(self) -> None:
        """Refuse the limited API, which is one of CPython."""
        super().finalize_options()
        if self.py_limited_api:
            error = ProjectError(
                f"py_limited_api is {self.py_limited_api!r}, but a wheel that is py3 needs no API of CPython at all",
                "take it out, or take Py3Wheel out of setup.py",
            )
            end_with_error(error, program=_PROGRAM)

    def get_tag(self) -> tuple[str, str, str]:
        """Return the wheel's tag, if it is true of the libraries that the wheel is to hold."""
        # Where they have been gathered; not there yet when an editable install asks.
        files = Path(self.bdist_dir).rglob("*") if self.bdist_dir else ()
        try:
            for library in sorted(path for path in files if kind_of_file(path) == "loadable"):
                require_agnostic(library, "take Py3Wheel out of setup.py")
        except TvmFfiBuildError as error:
            end_with_error(error, program=_PROGRAM)
        return ("py3", "none", super().get_tag()[2])


def runtime_requirement() -> str:
    """Return the requirement of a wheel that is built now, as for :mod:`tvm_ffi_build.plugin`'s provider.

    With ``dynamic = ["dependencies"]``, for ``install_requires``. What ``tool.tvm-ffi-build.runtime.requires`` asks for
    beside it is part of it.
    """
    try:
        return requirement.runtime_requirement(find_runtime().version, RUNTIME.read(Path.cwd())["requires"])
    except TvmFfiBuildError as error:
        end_with_error(error, program=_PROGRAM)
