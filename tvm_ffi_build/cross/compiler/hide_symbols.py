"""Lists of what to export, for zig's linker of Mach-O, which has none: what is not on the list is marked in its inputs.

Called by the compiler's script before a link, as ``python hide_symbols.py COMPILER... -- WORDS...``, and by path: it
imports nothing but the standard library. The objects are copied, since another library may be linked from them by
another list. Apple's linker does the same to symbols, when it has read them: ``N_PEXT`` of ``mach-o/nlist.h``.
"""

from __future__ import annotations

import fnmatch
import os
import shlex
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["hide_symbols", "main"]

# Options of Apple's ld(1), each with a word behind it: a pattern to export, an archive of which nothing is.
_EXPORTED, _HIDDEN = "-exported_symbol", "-load_hidden"
_MACHO = b"\xcf\xfa\xed\xfe"
_LC_SYMTAB = 0x2
_N_STAB, _N_PEXT, _N_TYPE, _N_EXT = 0xE0, 0x10, 0x0E, 0x01
_NLIST = struct.Struct("<IBBHQ")
_ARCHIVE = b"!<arch>\n"
_MEMBER = 60


def hide_symbols(data: bytearray, kept: Sequence[str]) -> None:
    """Mark the symbols that an object file or an archive of some defines as private, but for some.

    Args:
        data: The file, which is changed; of another format, it stays as it is.
        kept: Patterns for the names that are left, as the linker sees them.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    for start, end in _find_objects(data):
        for at in _find_commands(data, start):
            if struct.unpack_from("<I", data, at)[0] == _LC_SYMTAB:
                symbols, count, names, size = struct.unpack_from("<8xIIII", data, at)
                texts = bytes(data[start + names : min(start + names + size, end)])
                for index in range(count):
                    _mark_private(data, start + symbols + index * _NLIST.size, texts, kept)


def _mark_private(data: bytearray, at: int, texts: bytes, kept: Sequence[str]) -> None:
    name_at, kind, _, _, value = _NLIST.unpack_from(data, at)
    # Not defined here, unless it is a common symbol, whose value is its size (N_UNDF in <mach-o/nlist.h>).
    undefined = not kind & _N_TYPE and not value
    if kind & _N_STAB or not kind & _N_EXT or undefined:
        return
    name = texts[name_at : texts.index(b"\0", name_at)].decode(errors="replace")
    if not any(fnmatch.fnmatchcase(name, pattern) for pattern in kept):
        data[at + 4] = kind | _N_PEXT


def _find_objects(data: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where the object files begin and end that a file is or holds."""
    if data[:4] == _MACHO:
        yield 0, len(data)
    at = len(_ARCHIVE)
    while data[: len(_ARCHIVE)] == _ARCHIVE and at + _MEMBER <= len(data):
        header = bytes(data[at : at + _MEMBER])
        start, end = at + _MEMBER, at + _MEMBER + int(header[48:58])
        # A long name stands before the contents (AR_EFMT1 of BSD's <ar.h>).
        first = start + (int(header[3:16]) if header.startswith(b"#1/") else 0)
        if data[first : first + 4] == _MACHO:
            yield first, end
        at = end + end % 2


def _find_commands(data: bytearray, start: int) -> Iterator[int]:
    (count,) = struct.unpack_from("<I", data, start + 16)
    at = start + 32
    for _ in range(count):
        yield at
        (size,) = struct.unpack_from("<I", data, at + 4)
        at += size


def _expand_words(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line, those of response files too, and those for the linker as ``-Xlinker WORD``."""
    for word in words:
        if word.startswith("@") and Path(word[1:]).is_file():
            yield from _expand_words(shlex.split(Path(word[1:]).read_text(encoding="utf-8")))
        elif word.startswith("-Wl,"):
            for part in word.split(",")[1:]:
                yield from ("-Xlinker", part)
        else:
            yield word


def _split_options(words: Iterator[str]) -> tuple[list[str], list[str], set[str]]:
    """Return the words without the two options, the patterns, and the archives to be hidden."""
    kept: list[str] = []
    hidden: set[str] = set()
    rest: list[str] = []
    option = ""
    for word in words:
        if word != "-Xlinker":
            rest.append(word)
            continue
        part = next(words, "")
        if option == _EXPORTED:
            kept.append(part)
        elif option == _HIDDEN:
            hidden.add(part)
            rest.append(part)
        elif part not in {_EXPORTED, _HIDDEN}:
            rest += [word, part]
        option = part if not option and part in {_EXPORTED, _HIDDEN} else ""
    return rest, kept, hidden


def main(argv: Sequence[str]) -> int:
    """Link, and return the exit code of the compiler."""
    compiler, given = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    words, kept, hidden = _split_options(_expand_words(given))
    with tempfile.TemporaryDirectory(prefix="tvm-ffi-build-") as folder:
        for number, word in enumerate(words):
            path = Path(word)
            if path.suffix in {".o", ".a"} and path.is_file() and (kept or word in hidden):
                data = bytearray(path.read_bytes())
                hide_symbols(data, [] if word in hidden else kept)
                copy = Path(folder, f"{number}-{path.name}")
                copy.write_bytes(data)
                words[number] = os.fspath(copy)
        # Not with tvm_ffi_build.host.run: this script imports only the standard library, and the compiler's messages go
        # straight to the build.
        return subprocess.run([*compiler, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
