"""Where this package keeps the files that are not Python: ``cmake/`` and ``templates/``."""

from __future__ import annotations

from pathlib import Path

from ..errors import TvmFfiBuildError

__all__ = ["RESOURCES", "resource_dir"]

RESOURCES = ("cmake", "templates")

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_dir(name: str) -> Path:
    """Return the folder of one of :data:`RESOURCES`, in a wheel's layout or in a checkout's.

    In a wheel they lie below ``data/`` and not directly in the package: CMake looks for ``<prefix>/tvm_ffi*/cmake``,
    so a folder ``tvm_ffi_build/cmake`` would be found by every project of the environment, asked for or not.

    Raises:
        TvmFfiBuildError: This installation lacks the folder.

    """
    if (_PACKAGE / "data" / name).is_dir():
        return _PACKAGE / "data" / name
    checkout = _PACKAGE.parent
    # In site-packages, a folder "cmake" is PyPI's cmake.
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise TvmFfiBuildError(f"{_PACKAGE} lacks its folder {name!r}", "reinstall tvm-ffi-build")
