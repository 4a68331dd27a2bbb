"""Write the names of the symbols that glibc and GCC's libraries export, which Python's process has on every Linux.

glibc's come from the table that ziglang ships for all of its architectures and versions. Those of GCC's libraries, and
of a newer glibc, come from libraries that are named: python ledger/system_symbols.py LIBRARY ...
"""

from __future__ import annotations

import importlib.metadata
import io
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.external_libraries.system_symbols import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TABLE = "ziglang/lib/libc/glibc/abilists"
# C++ names are told from the C++ library's by their mangling.
_CXX = "_Z"
_PRIVATE = "GLIBC_PRIVATE"
_LAST = 0x80


def main(libraries: Iterable[str]) -> None:
    """Write the file."""
    path = importlib.metadata.distribution("ziglang").locate_file(_TABLE)
    names = set(_names_in_table(io.BytesIO(Path(str(path)).read_bytes())))
    for library in libraries:
        for image in read_binary(Path(library)).images:
            names |= {
                symbol.name
                for symbol in image.exports
                if symbol.version not in {"", _PRIVATE, symbol.name} and not symbol.name.startswith(_CXX)
            }
    # Symbols that stand for a version are no functions; those of SPARC's ABI have names that C has not.
    text = " ".join(sorted(name for name in names if name.isidentifier()))
    DATA.write_text(textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n", encoding="ascii")


def _names_in_table(table: io.BytesIO) -> Iterator[str]:
    """Yield the names in zig's table: functions, variables and thread-local variables (``glibc.zig``, loadMetaData)."""
    for item in (_text, lambda table: table.read(3), _text):  # libraries, versions, targets
        for _ in range(_number(table, 1)):
            item(table)
    for has_size in (False, True, True):
        is_new = True
        for _ in range(_number(table, 2)):
            if is_new:
                yield _text(table)
            _skip_leb128(table)
            if has_size:
                _skip_leb128(table)
            is_new = bool(_number(table, 1) & _LAST)
            while not _number(table, 1) & _LAST:  # versions
                pass


def _text(table: io.BytesIO) -> str:
    return b"".join(iter(lambda: table.read(1), b"\0")).decode("ascii")


def _number(table: io.BytesIO, size: int) -> int:
    return int.from_bytes(table.read(size), "little")


def _skip_leb128(table: io.BytesIO) -> None:
    while _number(table, 1) & _LAST:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
