"""Folders for unfinished work: what becomes of it is put in place whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OTHER_TEMPORARY", "temporary", "unfinished_in", "writing"]

OTHER_TEMPORARY = "set TMPDIR to another folder"


@contextmanager
def writing(folder: Path, remedy: str) -> Iterator[None]:
    """Turn what may happen when a folder is written, at first or later (a full disk), into one line.

    Raises:
        OutputError: It happened.

    """
    try:
        yield
    except BrokenPipeError:
        raise  # not this folder's
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}; {remedy}") from None


@contextmanager
def temporary() -> Iterator[Path]:
    """Make a folder for what nobody keeps."""
    with writing(Path(os.environ.get("TMPDIR", "the temporary folder")), OTHER_TEMPORARY):
        folder = tempfile.TemporaryDirectory(prefix="tvm-ffi-build-")
    with folder as name:
        yield Path(name).resolve()


@contextmanager
def unfinished_in(folder: Path) -> Iterator[Path]:
    """Make a folder for unfinished work inside of another, so that what is finished only has to be renamed."""
    with writing(folder, "name another folder with -w"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".tvm-ffi-build-") as name:
            yield Path(name).resolve()
