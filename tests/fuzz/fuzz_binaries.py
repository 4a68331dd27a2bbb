"""Fuzzes the readers of libraries: whatever a file holds, they read it or say that it is damaged.

    python -m pip install atheris ziglang
    python tests/fuzz/fuzz_binaries.py -max_total_time=300 [other options of libFuzzer]

What it finds of interest it keeps in ``fuzz-corpus/``; what ends it is a finding.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import atheris
from seeds import corpus, libraries

with atheris.instrument_imports(include=["tvm_ffi_build"]):
    from tvm_ffi_build.binaries import read_binary
    from tvm_ffi_build.binaries.agnostic import python_imports
    from tvm_ffi_build.binaries.signature import signature_problem
    from tvm_ffi_build.errors import UnreadableBinaryError

LIBRARY = Path(mkdtemp(), "library.so")


def one(data: bytes) -> None:
    LIBRARY.write_bytes(data)
    for read in (read_binary, python_imports, signature_problem):
        with suppress(UnreadableBinaryError):
            read(LIBRARY)


def main() -> None:
    folder = corpus(__file__)
    for name, content in libraries():
        (folder / name).write_bytes(content)
    atheris.Setup([*sys.argv, str(folder), "-max_len=65536", "-timeout=10", "-rss_limit_mb=1024"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
