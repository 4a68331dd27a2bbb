"""What may happen to a directory in the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CACHE_DAMAGE"]


def first_file(folder: Path) -> Path:
    return next(path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "contents.json")


def every_file(change: Callable[[Path], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        for path in list(folder.rglob("*")):
            if path.is_file():
                change(path)

    return apply


def one_file(change: Callable[[Path], object]) -> Callable[[Path], None]:
    return lambda folder: [change(first_file(folder))].clear()


def replace(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        make(path)

    return apply


def flip_bit(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def link_elsewhere(path: Path) -> None:
    moved = path.with_name(f"{path.name}-moved")
    path.rename(moved)
    path.symlink_to(moved)


def make_read_only(folder: Path) -> None:
    flip_bit(first_file(folder))
    folder.chmod(0o500)


CACHE_DAMAGE: dict[str, Callable[[Path], object]] = {
    "one bit": one_file(flip_bit),
    "a file is empty": one_file(lambda path: path.write_bytes(b"")),
    "all files are empty": every_file(lambda path: os.truncate(path, 0)),
    "a file is cut short": one_file(lambda path: os.truncate(path, path.stat().st_size // 2)),
    "a file is longer": one_file(lambda path: path.write_bytes(path.read_bytes() + b"\n")),
    "a file is missing": one_file(Path.unlink),
    "all files are missing": every_file(Path.unlink),
    "a file more": lambda folder: (folder / "more").touch(),
    "a link more": lambda folder: (folder / "more").symlink_to("/etc"),
    "a file is a link": one_file(replace(lambda path: path.symlink_to("/dev/zero"))),
    "a file is a named pipe": one_file(replace(os.mkfifo)),
    "a file is a directory": one_file(replace(Path.mkdir)),
    "the directory is a file": replace(Path.touch),
    "the directory is a link to nothing": replace(lambda path: path.symlink_to("nowhere")),
    "the directory is a link to itself": replace(lambda path: path.symlink_to(path.name)),
    "the directory is a link": link_elsewhere,
    "the directory is a named pipe": replace(os.mkfifo),
    "the directory is empty": replace(Path.mkdir),
    "the directory is read-only": make_read_only,
}
