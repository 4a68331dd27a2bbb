"""What the texts in a library tell: functions of CPython, paths of the machine that built it, the runtime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..binaries.search import find_matches, find_texts

if TYPE_CHECKING:
    from pathlib import Path

    from ..binaries import Binary

__all__ = ["build_paths", "has_runtime_inside", "python_names"]

_LONGEST_NAME = 128
_LONGEST_PATH = 512
# As a whole text, as a function is asked for by name.
_PYTHON = re.compile(rb"P(?:(?<=\x00P)|(?<=\x00_P))y[A-Za-z0-9]*_[A-Z]\w{1,80}\x00")
# Where people and services build, and what sources end in: a path that ends otherwise may be meant for users.
_SOURCE = rb"[\w .+@~$/\\-]{1,400}\.(?:cc|cpp|cxx|c|cu|cuh|hh|hpp|hxx|h|inl|mm|m|rs)\b"
_ROOTS = rb"(?:home|Users|root|tmp|var/tmp|private/var|project|build|builds|__w|workspace|opt/_internal)/"
_POSIX = re.compile(rb"/(?<![\w./\\:-]/)" + _ROOTS + _SOURCE)
# Behind the letter of a drive, which is no end of a word such as "https".
_WINDOWS = re.compile(rb":(?<=[A-Za-z]:)(?<![A-Za-z]{2}:)[\\/]" + _SOURCE)
# What the runtime registers in every release, both in one source file; extensions have no use for both.
_RUNTIME = (b"ffi.FunctionListGlobalNamesFunctor", b"ffi.FunctionRemoveGlobal")


def python_names(path: Path, binary: Binary) -> list[str]:
    """Return names of CPython's functions that are written in a library, sorted."""
    found = set()
    for match in find_matches(path, [_PYTHON], _LONGEST_NAME, binary.text_parts):
        name = match[0].rstrip(b"\0").decode()
        found.add(f"_{name}" if match.string[match.start() - 1 : match.start()] == b"_" else name)
    return sorted(found)


def build_paths(path: Path, binary: Binary) -> list[str]:
    """Return paths of source files on the machine that built a library, sorted."""
    found = set()
    patterns = [_POSIX, _WINDOWS] if binary.format == "PE" else [_POSIX]
    for match in find_matches(path, patterns, _LONGEST_PATH, binary.text_parts):
        # The letter of the drive stands before what is looked for.
        found.add(match.string[match.start() - (match.re is _WINDOWS) : match.end()])
    return sorted(one.decode() for one in found)


def has_runtime_inside(path: Path, binary: Binary) -> bool:
    """Say whether a library contains the runtime, as its texts tell: none of its symbols need be left."""
    return find_texts(path, _RUNTIME, binary.text_parts) == set(_RUNTIME)
