"""Puts a new project in its place: whole or not at all, and over nothing that is there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import NewProjectError
from ..host.unfinished import unfinished_folder, write_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path, PurePosixPath

__all__ = ["write_project"]

_OTHER_FOLDER = "choose another directory with --path"


def write_project(folder: Path, files: Mapping[PurePosixPath, str], *, force: bool = False) -> list[Path]:
    """Write the files of a project into a folder.

    A new folder appears with all that is in it. In one that is there, which takes ``force`` unless it is empty, files
    are replaced one by one after all of them have been written beside; other files stay.

    Returns the files that were written over.

    Raises:
        NewProjectError: The folder is not empty, is a file, or lies in another project; or the path of a file leads out
            of it.
        OutputError: It cannot be written.

    """
    folder = folder.absolute()
    with write_errors(folder, _OTHER_FOLDER):
        _check_place(folder, force=force)
        replaced = [path for path in _list_targets(folder, files) if path.exists()]
        exists = folder.exists()
        base = folder if exists else folder.parent
        with unfinished_folder(base, _OTHER_FOLDER) as scratch:
            # Not that folder itself, which nobody else may read.
            unfinished = scratch / "project"
            unfinished.mkdir()
            for relative, text in files.items():
                path = unfinished / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode())
            if not exists:
                unfinished.rename(folder)
                return []
            for relative in files:
                (folder / relative).parent.mkdir(parents=True, exist_ok=True)
                (unfinished / relative).replace(folder / relative)
    return replaced


def _check_place(folder: Path, *, force: bool) -> None:
    for path in (folder, *folder.parents):
        if os.path.lexists(path) and not path.is_dir():
            raise NewProjectError(f"{path} is not a directory", _OTHER_FOLDER)
    if force:
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise NewProjectError(f"{folder} is not empty", f"{_OTHER_FOLDER}, or write over its files with --force")
    for parent in folder.resolve().parents:
        if (parent / "pyproject.toml").is_file():
            raise NewProjectError(f"{folder} is part of the project {parent}", f"{_OTHER_FOLDER}, or pass --force")


def _list_targets(folder: Path, files: Mapping[PurePosixPath, str]) -> Iterator[Path]:
    """Yield where each file is to be, all of them below the folder."""
    for relative in files:
        path = folder / relative
        if path.is_dir():
            raise NewProjectError(f"{path} is a directory, but must be a file", _OTHER_FOLDER)
        for parent in list(path.parents)[: len(relative.parts) - 1]:
            if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
                raise NewProjectError(f"{parent} is not a directory of the project", _OTHER_FOLDER)
        yield path
