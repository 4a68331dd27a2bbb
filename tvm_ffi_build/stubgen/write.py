"""Puts texts in place: a file is the old one or the new one, whenever one looks."""

from __future__ import annotations

import difflib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError, StubError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["difference", "read_all", "write_all"]

# And the mark of a package with types.
_SUFFIXES = {".py", ".pyi", ".typed"}


def read_all(paths: Sequence[Path]) -> dict[Path, str]:
    """Read files, and below folders all Python files, which may or may not have directives.

    Raises:
        StubError: A path does not exist, or a file is not UTF-8.

    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            below = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
            found.update(dict.fromkeys(sorted(file for file in below if file.suffix.lower() in _SUFFIXES)))
        elif path.is_file():
            found[path] = None
        else:
            raise StubError(f"{path} does not exist; name a Python file or a folder with some")
    return {path: _read(path) for path in found}


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise StubError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StubError(f"{path} is not UTF-8; convert it, or take it out of the folder") from None


def difference(path: Path, old: str, new: str) -> str:
    """Return a unified diff."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def write_all(texts: Iterable[tuple[Path, str]]) -> None:
    """Write files, each beside itself at first.

    Raises:
        OutputError: One cannot be written; those before it are.

    """
    for path, text in texts:
        _write(path, text)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text.encode("utf-8"))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def _replace(path: Path, content: bytes) -> None:
    # A link stays one.
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp lets nobody else read it.
        Path(name).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
