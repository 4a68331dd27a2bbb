"""Lists of what to export, for zig's linker of Mach-O, which has none: what is not on the list is marked in its inputs.

Called by the compiler's script before a link, as ``python hide.py COMPILER... -- WORDS...``, and by path: it imports
nothing but the standard library. The objects are copied, since another library may be linked from them by another list.
Apple's linker does the same to symbols, when it has read them: ``N_PEXT`` of ``mach-o/nlist.h``.
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

__all__ = ["hide", "main"]

_EXPORTED, _HIDDEN = "-Wl,-exported_symbol,", "-Wl,-load_hidden,"
_MACHO = b"\xcf\xfa\xed\xfe"
_LC_SYMTAB = 0x2
_N_STAB, _N_PEXT, _N_TYPE, _N_EXT = 0xE0, 0x10, 0x0E, 0x01
_NLIST = struct.Struct("<IBBHQ")
_ARCHIVE = b"!<arch>\n"
_MEMBER = 60


def hide(data: bytearray, kept: Sequence[str]) -> None:
    """Mark the symbols that an object file or an archive of some defines as private, but for some.

    Args:
        data: The file, which is changed; of another format, it stays as it is.
        kept: Patterns for the names that are left, as the linker sees them.

    Raises:
        struct.error, ValueError: The file is damaged.

    """
    for start, end in _objects(data):
        for at in _commands(data, start):
            if struct.unpack_from("<I", data, at)[0] == _LC_SYMTAB:
                symbols, count, names, size = struct.unpack_from("<8xIIII", data, at)
                texts = bytes(data[start + names : min(start + names + size, end)])
                for index in range(count):
                    _mark(data, start + symbols + index * _NLIST.size, texts, kept)


def _mark(data: bytearray, at: int, texts: bytes, kept: Sequence[str]) -> None:
    name_at, kind, _, _, value = _NLIST.unpack_from(data, at)
    # Not defined here, unless it is a common symbol, whose value is its size.
    undefined = not kind & _N_TYPE and not value
    if kind & _N_STAB or not kind & _N_EXT or undefined:
        return
    name = texts[name_at : texts.index(b"\0", name_at)].decode(errors="replace")
    if not any(fnmatch.fnmatchcase(name, pattern) for pattern in kept):
        data[at + 4] = kind | _N_PEXT


def _objects(data: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where the object files begin and end that a file is or holds."""
    if data[:4] == _MACHO:
        yield 0, len(data)
    at = len(_ARCHIVE)
    while data[: len(_ARCHIVE)] == _ARCHIVE and at + _MEMBER <= len(data):
        header = bytes(data[at : at + _MEMBER])
        start, end = at + _MEMBER, at + _MEMBER + int(header[48:58])
        # A long name stands before the contents.
        first = start + (int(header[3:16]) if header.startswith(b"#1/") else 0)
        if data[first : first + 4] == _MACHO:
            yield first, end
        at = end + end % 2


def _commands(data: bytearray, start: int) -> Iterator[int]:
    (count,) = struct.unpack_from("<I", data, start + 16)
    at = start + 32
    for _ in range(count):
        yield at
        (size,) = struct.unpack_from("<I", data, at + 4)
        at += size


def _words(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line, those of response files too."""
    for word in words:
        if word.startswith("@") and Path(word[1:]).is_file():
            yield from _words(shlex.split(Path(word[1:]).read_text(encoding="utf-8")))
        else:
            yield word


def main(argv: Sequence[str]) -> int:
    """Link, and return the exit code of the compiler."""
    compiler, given = list(argv[: argv.index("--")]), list(_words(argv[argv.index("--") + 1 :]))
    kept = [word[len(_EXPORTED) :] for word in given if word.startswith(_EXPORTED)]
    with tempfile.TemporaryDirectory(prefix="tvm-ffi-build-") as folder:
        words = []
        for number, word in enumerate(given):
            if word.startswith(_EXPORTED):
                continue
            path = Path(word.removeprefix(_HIDDEN))
            if path.suffix not in {".o", ".a"} or not path.is_file() or (path == Path(word) and not kept):
                words.append(word)
                continue
            data = bytearray(path.read_bytes())
            hide(data, kept if path == Path(word) else [])
            copy = Path(folder, f"{number}-{path.name}")
            copy.write_bytes(data)
            words.append(os.fspath(copy))
        return subprocess.run([*compiler, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
