"""Where programs are that others have installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from ..errors import MissingToolError

__all__ = ["find_program", "find_versioned", "python_command", "require_extra", "search_path"]


def find_program(name: str) -> str | None:
    """Return where a program is: beside this Python, where pip puts those it installs, or on PATH."""
    return shutil.which(name, path=search_path())


def find_versioned(name: str) -> str | None:
    """Return where the newest of a program is whose name ends in a version, as Debian's of llvm: ``llvm-lipo-14``."""
    found: dict[int, str] = {}
    for folder in search_path().split(os.pathsep):
        for path in Path(folder).glob(f"{name}-*"):
            version = path.name[len(name) + 1 :]
            if version.isdecimal() and os.access(path, os.X_OK):
                found.setdefault(int(version), str(path))
    return found[max(found)] if found else None


def python_command() -> str:
    """Return this Python's path as a word for the shell, so that commands in messages can be copied."""
    if os.name == "nt":
        return f'"{sys.executable}"' if " " in sys.executable else sys.executable
    import shlex  # noqa: PLC0415

    return shlex.quote(sys.executable)


def require_extra(module: str, extra: str) -> None:
    """Check that a module of an extra of this project is installed.

    Raises:
        MissingToolError: It is not.

    """
    if importlib.util.find_spec(module) is None:
        raise MissingToolError(
            f"{module} is not installed", command=f"{python_command()} -m pip install 'tvm-ffi-build[{extra}]'"
        )


def search_path() -> str:
    """Return the folders that programs are looked for in, as one ``PATH``: that of this Python comes first."""
    return os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
