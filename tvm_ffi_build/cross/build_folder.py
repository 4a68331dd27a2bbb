"""Where a build for a platform is done: in a folder of the same path each time, so that compiler caches hit."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ..host.unfinished import hidden_folder, hold_folder, remove_abandoned, write_errors
from .cache_contents import discard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["BuildFolder", "build_folder"]


class BuildFolder(NamedTuple):
    """A folder for a build.

    Attributes:
        path: Where it is to be made.
        lock: Descriptors that say that it is in use, for as long as a process has them open.

    """

    path: Path
    lock: tuple[int, ...] = ()


@contextmanager
def build_folder(cache: Path, source: Path, platform: str) -> Iterator[BuildFolder]:
    """Hold an empty folder for the build of a source tree for a platform.

    Command lines of compilers have its path in them, and compiler caches take another command line for another
    compilation. While a build has it, another build of the same gets one of another path; also if the program that
    has started the build was killed, and the build goes on.

    Args:
        cache: The folder of :func:`~tvm_ffi_build.cross.runtimes.cache_dir`.
        source: The project's folder.
        platform: Its tag, or ``native``.

    Raises:
        OutputError: The cache cannot be written.

    """
    import fcntl  # noqa: PLC0415  (not on Windows, where nothing is built for other platforms)

    inside = cache / "builds"
    digest = hashlib.sha256(str(source.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    folder = inside / f"{platform}-{digest[:16]}"
    with write_errors(inside, "set XDG_CACHE_HOME to another directory"):
        inside.mkdir(parents=True, exist_ok=True)
        remove_abandoned(inside)
        lock = _open_lock(folder.with_name(f"{folder.name}.lock"))
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody has it, or the file system has no locks
            with hidden_folder(inside) as other, hold_folder(other) as locks:
                yield BuildFolder(other / "build", locks)
            return
        # What a build has left that was killed, or anything else.
        with write_errors(inside, "set XDG_CACHE_HOME to another directory"):
            if os.path.lexists(folder):
                discard(folder)
        try:
            yield BuildFolder(folder, (lock.fileno(),))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _open_lock(path: Path) -> IO[bytes]:
    """Open the file that is locked; what else is there makes way for it.

    Raises:
        OSError: It cannot be made.

    """
    # A named pipe would wait for a reader (open(2)), and a link may lead to a file of the user.
    flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        discard(path)
    return os.fdopen(os.open(path, flags, 0o666), "r+b")
