"""Check what the cache holds before it is used: a full disk, a person or a program may have changed it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..host.regular_files import open_regular, read_regular
from ..host.unfinished import hidden_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["discard", "holds_texts", "is_intact", "record_contents"]

# Not part of what it lists.
_LIST = "contents.json"
_PIECE = 1 << 20


def record_contents(folder: Path) -> None:
    """Write into a directory which files it has, and their SHA-256.

    Raises:
        OSError: It cannot be read or written.

    """
    (folder / _LIST).write_text(json.dumps(_hash_files(folder), indent=0), encoding="utf-8")


def is_intact(folder: Path) -> bool:
    """Return whether a directory has exactly the files that :func:`record_contents` found in it."""
    try:
        return not folder.is_symlink() and bool(json.loads(read_regular(folder / _LIST)) == _hash_files(folder))
    except (OSError, ValueError, RecursionError):
        return False


def holds_texts(folder: Path, files: Mapping[str, str]) -> bool:
    """Return whether a directory has exactly some text files; what begins with ``#!`` has to be executable."""
    try:
        if folder.is_symlink() or set(_list_files(folder)) != set(files):
            return False
        return all(_holds_text(folder / name, text) for name, text in files.items())
    except OSError:
        return False


def discard(path: Path) -> None:
    """Remove what is at a path, whatever it is; another process may be doing the same.

    Raises:
        OSError: It cannot be moved away.

    """
    # Moved away first, so that no process finds a part of it.
    with hidden_folder(path.parent) as folder, suppress(FileNotFoundError):
        moved = path.rename(folder / path.name)
        if moved.is_symlink() or not moved.is_dir():
            # rmtree opens what it is given, and would wait at a named pipe.
            moved.unlink()
            return
        for here, _, _ in os.walk(moved):
            # From a directory that is read-only, nothing can be removed.
            Path(here).chmod(0o700)
        shutil.rmtree(moved, ignore_errors=True)


def _hash_files(folder: Path) -> dict[str, str]:
    return {name: _hash_file(folder / name) for name in sorted(_list_files(folder)) if name != _LIST}


def _list_files(folder: Path) -> Iterable[str]:
    def fail(error: OSError) -> None:
        raise error

    for here, folders, names in os.walk(folder, onerror=fail):
        links = [name for name in folders if Path(here, name).is_symlink()]
        yield from (Path(here, name).relative_to(folder).as_posix() for name in [*names, *links])


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with open_regular(path, follow_links=False) as file:
        for piece in iter(partial(file.read, _PIECE), b""):
            digest.update(piece)
    return digest.hexdigest()


def _holds_text(path: Path, text: str) -> bool:
    return read_regular(path) == text.encode() and (not text.startswith("#!") or _is_executable(path))


def _is_executable(path: Path) -> bool:
    return os.name == "nt" or bool(path.stat().st_mode & stat.S_IXUSR)
