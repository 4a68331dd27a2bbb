"""Puts texts in place: a file is the old one or the new one, whenever one looks."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import OutputError, StubError
from ...host.regular_files import read_regular
from ...host.unfinished import hidden_folder, remove_abandoned
from .directives import MARKER
from .package_parts import API, LOADER, TYPED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["WORDS", "read_all", "remove_leftovers", "require_read", "unified_diff", "write_all"]

# And the mark of a package with types.
_SUFFIXES = {".py", ".pyi", ".typed"}
_PARTS_OF_PACKAGES = {"__init__.py", f"{API}.py", f"{LOADER}.py", TYPED}
_MARKER = MARKER.encode()
# What files have that stubs depend on: directives, or functions of the runtime that give a type its class. A type that
# has one needs no other.
WORDS = (_MARKER, b"register_object", b"c_class", b"py_class")


def read_all(paths: Sequence[Path]) -> dict[Path, str]:
    """Read files; of folders those with directives, those that register classes, and the parts of packages.

    Raises:
        StubError: A path does not exist, cannot be read, or is a file without directives that is not UTF-8.

    """
    found: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            for file in _files_below(path):
                content = _read_bytes(file)
                if file.name in _PARTS_OF_PACKAGES or any(word in content for word in WORDS):
                    found[file] = _decode(content)
        elif path.is_file():
            found[path] = _decode(_read_named_file(path))
        else:
            raise StubError(f"{path} does not exist", "pass a Python file or a directory with some")
    return found


def _files_below(folder: Path) -> list[Path]:
    files: list[Path] = []
    # Not behind links, which may lead to files of others.
    for here, folders, names in os.walk(folder):
        # Environments, caches, what version control keeps; of files, the locks of editors.
        folders[:] = _sort_visible(folders)
        files += [Path(here, name) for name in _sort_visible(names) if Path(name).suffix.lower() in _SUFFIXES]
    return files


def _sort_visible(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith(".") and name != "__pycache__")


def _read_bytes(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise StubError(f"{path} cannot be read: {error.strerror}") from None


def _read_named_file(path: Path) -> bytes:
    content = _read_bytes(path)
    # Directives in another encoding, such as UTF-16, would not be seen.
    if _MARKER not in content and "\ufffd" in content.decode("utf-8", "replace"):
        raise StubError(f"{path} is not UTF-8", "convert it")
    return content


def _decode(content: bytes) -> str:
    # What is left alone may be in any encoding.
    return content.decode("utf-8", "surrogateescape")


def unified_diff(path: Path, old: str, new: str) -> str:
    """Return a unified diff."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def require_read(read: Collection[Path], written: Mapping[Path, str]) -> None:
    """Check that files are written over only if they were read; what has the text already is none of them.

    Raises:
        StubError: One exists that was not.

    """
    for path, text in sorted(written.items()):
        # Another build of the same sources may have been faster.
        if path not in read and os.path.lexists(path) and not (path.is_file() and _decode(_read_bytes(path)) == text):
            raise StubError(f"{path} is there, but was not read", "pass the directory that it is in, or move it away")


def write_all(texts: Iterable[tuple[Path, str]]) -> None:
    """Write files, each beside itself at first.

    Raises:
        OutputError: One cannot be written; those before it are.

    """
    for path, text in texts:
        _write_file(path, text)


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Remove what may have been left beside files, which need not be written again for that."""
    for folder in {path.resolve().parent for path in paths}:
        remove_abandoned(folder)


def _write_file(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace_file(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def _replace_file(path: Path, content: bytes) -> None:
    # A link stays one.
    target = path.resolve()
    with hidden_folder(target.parent) as folder:
        made = folder / target.name
        with made.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            made.chmod(target.stat().st_mode & 0o7777)
        made.replace(target)
