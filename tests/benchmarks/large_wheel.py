"""Wheels with one large library, for the benchmarks of what reads and writes such wheels."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

__all__ = ["CONSTANTS", "KERNELS", "wheel_of"]

# The section with most of the library: GPU kernels, as compilers place them, or constants, which an audit searches.
KERNELS, CONSTANTS = ".nv_fatbin", ".rodata"

_C_SOURCE = """int TVMFFIFunctionCall(void*);
extern const char blob[];
__attribute__((visibility("default"))) int __tvm_ffi_big(void* f) { return TVMFFIFunctionCall(f) + blob[5]; }
"""
_ASSEMBLY = '.section {},"a"\n.globl blob\nblob:\n.incbin "blob"\n.section .note.GNU-stack,"",@progbits\n'


def wheel_of(size: int, folder: Path, section: str) -> Path:
    """Write a wheel with a library of so many MiB, which are in a section, into a new folder."""
    folder.mkdir()
    with (folder / "blob").open("wb") as blob:
        for piece in _machine_code():
            blob.write(piece[: (size << 20) - blob.tell()])
            if blob.tell() == size << 20:
                break
    (folder / "big.c").write_text(_C_SOURCE, encoding="utf-8")
    (folder / "blob.S").write_text(_ASSEMBLY.format(section), encoding="utf-8")
    runtime = find_runtime().library.parent
    link: list[str | Path] = ["-L", runtime, "-ltvm_ffi", "-Wl,-rpath,$ORIGIN/../tvm_ffi/lib"]
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "libbig.so", "big.c", "blob.S", *link], cwd=folder, check=True)
    (folder / "blob").unlink()
    info = "big-1.0.dist-info"
    contents = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: big\nVersion: 1.0\nRequires-Dist: apache-tvm-ffi\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n",
    }
    library = folder / "libbig.so"
    with library.open("rb") as file:
        rows = [f"big/libbig.so,sha256={_digest(file)},{library.stat().st_size}\n"]
    rows += [f"{name},sha256={_digest(BytesIO(content))},{len(content)}\n" for name, content in contents.items()]
    path = folder / "big-1.0-py3-none-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(library, "big/libbig.so")
        for name, content in {**contents, f"{info}/RECORD": f"{''.join(rows)}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, content)
    library.unlink()
    return path


def _digest(file: IO[bytes]) -> str:
    """Return a hash as RECORD has it; never the whole file in memory, which would count for the commands as well."""
    hasher = hashlib.sha256()
    while piece := file.read(1 << 20):
        hasher.update(piece)
    return base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode()


def _machine_code() -> Iterator[bytes]:
    """Yield libraries again and again; a repetition is too far away for a compressor to find it."""
    found = [path for path in Path(sys.prefix).rglob("*.so*") if path.is_file() and path.stat().st_size > 1 << 20]
    for path in cycle(sorted(found)):
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece
