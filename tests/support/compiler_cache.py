"""Compile a file once per test run: a compiler launcher that finds an object again by what the compiler reads.

Nearly all of a test run's time is g++ reading the runtime's headers. ccache and sccache find few of these objects
again, because build front ends compile in directories with random names, which stand in include paths and prefix maps.
This launcher hashes the preprocessed source instead, with paths as the object will show them. Preprocessing takes a
fifteenth of the time of compiling.

CMake starts it as ``CMAKE_CXX_COMPILER_LAUNCHER``: ``python compiler_cache.py CACHE COMPILER ARGUMENT…``. What it does
not understand it leaves to the compiler: links, response files, several sources, warnings.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import fcntl
if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = (".c", ".cc", ".cpp", ".cxx")
# Options that make the compiler read or write files that preprocessing does not show.
UNCACHED = (
    "@",
    "--coverage",
    "-fprofile",
    "-ftest-coverage",
    "-gsplit-dwarf",
    "-save-temps",
    "-fmodules",
    "-include-pch",
)
PREFIX_MAP = re.compile(r"-f(?:file|debug|macro)-prefix-map=(.*)=(.*)")
LINE_MARKER = re.compile(rb'^(# \d+ ")([^"]*)(")', re.MULTILINE)
# Options whose next argument is a path that may differ between builds of the same object.
PATHS = ("-I", "-isystem", "-MF", "-MT", "-MQ", "-o")
# Options whose effect the preprocessed source shows. CMake defines a macro named after each target.
PREPROCESSED = ("-I", "-M", "-D", "-U")
# Options by which an object shows where each line of its source was read from.
LOCATED = ("-g", "-flto", "-fsanitize")
# So do these, whatever the options are.
LOCATORS = (b"__builtin_FILE", b"__builtin_source_location")


def compile_once(cache: Path, command: list[str]) -> int:
    """Copy the object from the cache, or compile it and store it. Return the compiler's exit status."""
    sources = [word for word in command[1:] if word.endswith(SOURCES)]
    understood = len(sources) == 1 and "-c" in command and command.count("-o") == 1
    if not understood or any(word.startswith(UNCACHED) for word in command[1:]) or is_small(Path(sources[0])):
        return subprocess.run(command, check=False).returncode
    output = command.index("-o") + 1
    preprocess = ["-E" if word == "-c" else word for word in command]
    preprocess[output] = "-"
    read = subprocess.run(preprocess, check=False, capture_output=True)
    # An assembler's .incbin reads a file that the preprocessor does not.
    if read.returncode or b".incbin" in read.stdout:
        return subprocess.run(command, check=False).returncode

    kept = cache / object_key(command, read.stdout)
    cache.mkdir(parents=True, exist_ok=True)
    # Targets with the same source are compiled at the same time: the first one compiles for all.
    with locked(Path(f"{kept}.lock")):
        if kept.is_file():
            shutil.copyfile(kept, command[output])
            return 0
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE)
        sys.stderr.buffer.write(done.stderr)
        if done.returncode == 0 and not done.stderr:
            store(Path(command[output]), kept)
        return done.returncode


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time go on. On Windows, each compiles for itself."""
    with path.open("w", encoding="utf-8") as stream:
        if sys.platform != "win32":
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def is_small(source: Path) -> bool:
    """Return whether a file compiles as fast as it is preprocessed: it has no header."""
    return source.is_file() and b"#include" not in source.read_bytes()


def object_key(command: list[str], text: bytes) -> str:
    """Return a hash of everything that decides the object's bytes."""
    # The last option that matches decides, as in GCC.
    maps = [match.groups() for match in map(PREFIX_MAP.fullmatch, command) if match][::-1]

    def shown(path: str) -> str:
        return next((new + path[len(old) :] for old, new in maps if path.startswith(old)), path)

    located = any(word.startswith(LOCATED) and word != "-g0" for word in command)
    located = located or any(function in text for function in LOCATORS)

    def seen(path: str) -> str:
        # An ELF object names its source without directories, and the preprocessor has replaced __FILE__.
        return shown(path) if located else Path(path).name

    def line_marker(match: re.Match[bytes]) -> bytes:
        return match[1] + os.fsencode(seen(os.fsdecode(match[2]))) + match[3]

    compiler = Path(shutil.which(command[0]) or command[0]).resolve()
    state = compiler.stat()
    options, skip = [], False
    for word in command[1:]:
        if not skip and not word.startswith(PREPROCESSED) and not PREFIX_MAP.fullmatch(word) and word not in PATHS:
            options.append(seen(word) if word.endswith(SOURCES) else shown(word))
        skip = word in PATHS
    digest = hashlib.sha256()
    for part in (str(compiler), str(state.st_size), str(state.st_mtime_ns), *options):
        digest.update(part.encode() + b"\0")
    if located:
        digest.update(shown(os.getcwd()).encode())  # DW_AT_comp_dir  # noqa: PTH109
    digest.update(LINE_MARKER.sub(line_marker, text))
    return digest.hexdigest()


def store(made: Path, kept: Path) -> None:
    """Copy an object into the cache, complete or not at all."""
    with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as unfinished:
        unfinished.write(made.read_bytes())
    Path(unfinished.name).replace(kept)


if __name__ == "__main__":
    raise SystemExit(compile_once(Path(sys.argv[1]), sys.argv[2:]))
