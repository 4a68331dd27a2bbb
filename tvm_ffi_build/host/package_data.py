"""Where this package keeps the files that are not Python."""

from __future__ import annotations

from pathlib import Path

from ..errors import MissingToolError

__all__ = ["RESOURCES", "resource_path"]

# By their names in a wheel, where they are in a checkout.
RESOURCES = {"cmake": "cmake", "templates": "templates", "rules.md": "docs/reference/audit.md"}

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_path(name: str) -> Path:
    """Return the path of one of :data:`RESOURCES`, in a wheel's layout or in a checkout's.

    In a wheel they lie below ``data/`` and not directly in the package: CMake looks for ``<prefix>/tvm_ffi*/cmake``,
    so a folder ``tvm_ffi_build/cmake`` would be found by every project of the environment, asked for or not.

    Raises:
        MissingToolError: This installation lacks it.

    """
    if (_PACKAGE / "data" / name).exists():
        return _PACKAGE / "data" / name
    checkout = _PACKAGE.parent
    # In site-packages, a folder "cmake" is PyPI's cmake.
    if (checkout / "pyproject.toml").is_file() and (checkout / RESOURCES[name]).exists():
        return checkout / RESOURCES[name]
    raise MissingToolError(f"{_PACKAGE} lacks {name!r}", "reinstall tvm-ffi-build")
