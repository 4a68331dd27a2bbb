"""Folders for unfinished work: what becomes of it is put in place whole, or not at all."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "OTHER_TEMPORARY",
    "hidden_folder",
    "hold_folder",
    "move_into_place",
    "remove_abandoned",
    "temporary_folder",
    "unfinished_folder",
    "write_errors",
]

_UNFINISHED = ".tvm-ffi-build-unfinished-"
# Such a prefix and what tempfile adds to it, so that nothing else is ever taken for unfinished work.
_NAME = re.compile(rf"{re.escape(_UNFINISHED)}[a-z0-9_]{{8}}")
# Seconds: longer than clocks of machines that share a folder are apart.
_AGE = 3600
OTHER_TEMPORARY = "set TMPDIR to another directory"


@contextmanager
def write_errors(folder: Path, remedy: str) -> Iterator[None]:
    """Turn what may happen when a folder is written, at first or later (a full disk), into one line.

    Raises:
        OutputError: It happened.

    """
    try:
        yield
    except BrokenPipeError:
        raise  # not this folder's
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}", remedy) from None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for what nobody keeps."""
    with write_errors(Path(os.environ.get("TMPDIR", "the temporary directory")), OTHER_TEMPORARY):
        folder = tempfile.TemporaryDirectory(prefix="tvm-ffi-build-")
    try:
        yield Path(folder.name).resolve()
    finally:
        try:
            folder.cleanup()
        except OSError:
            # A process that left its group still writes there.
            shutil.rmtree(folder.name, ignore_errors=True)


@contextmanager
def unfinished_folder(folder: Path, remedy: str = "choose another directory with -w") -> Iterator[Path]:
    """Make a folder for unfinished work inside of another, so that what is finished only has to be renamed.

    Raises:
        OutputError: It cannot be written there.

    """
    with write_errors(folder, remedy):
        folder.mkdir(parents=True, exist_ok=True)
        with hidden_folder(folder) as unfinished:
            yield unfinished


@contextmanager
def hidden_folder(folder: Path) -> Iterator[Path]:
    """Make a hidden folder inside of another, and remove those that processes have left there which were killed."""
    remove_abandoned(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_UNFINISHED) as name, hold_folder(Path(name)):
        yield Path(name).resolve()


def move_into_place(made: Path, folder: Path) -> None:
    """Put a folder in its place, unless another process was faster: theirs is as good, and may be in use.

    Raises:
        OSError: It cannot be put there.

    """
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


@contextmanager
def hold_folder(folder: Path) -> Iterator[tuple[int, ...]]:
    """Say to other processes that a folder is in use, for as long as this one lives.

    Yields the descriptors that say so: a process that inherits them says it as well.
    """
    if sys.platform == "win32":
        yield ()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield (descriptor,)
    finally:
        os.close(descriptor)


def remove_abandoned(folder: Path) -> None:
    """Remove the unfinished work of processes that are no more; Windows, which has no such locks, keeps it."""
    if sys.platform == "win32":
        return
    for path in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            # For a moment, one that is being made is not locked yet; and not every lock is seen by other machines.
            if _NAME.fullmatch(path.name) and time.time() - path.stat().st_mtime > _AGE:
                _remove_unless_in_use(path)


def _remove_unless_in_use(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
