"""Seeds for the fuzz targets: real libraries of three systems, and wheels that hold them, all small."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["INFO", "NAME", "corpus", "libraries", "wheel"]

NAME = "demo-1.0-py3-none-linux_x86_64.whl"
INFO = "demo-1.0.dist-info/"
_SOURCE = """
#ifdef _WIN32
int DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }
int _DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }
__declspec(dllexport)
#endif
int f(int x) { return x + 1; }
"""
_TARGETS = ("x86_64-linux-gnu", "x86-linux-gnu", "aarch64-linux-gnu", "aarch64-macos", "x86_64-windows-gnu")


def libraries() -> Iterator[tuple[str, bytes]]:
    """Build a library for each system; yield the names of the systems and what was built."""
    with TemporaryDirectory() as name:
        source, library = Path(name, "a.c"), Path(name, "a.so")
        source.write_text(_SOURCE, encoding="utf-8")
        for target in _TARGETS:
            command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-O2", "-shared", "-s"]
            subprocess.run([*command, "-nostdlib", "-o", library, source], check=True)
            yield target, library.read_bytes()


def wheel(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Write a wheel with a right RECORD."""
    rows = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}\n"
        for name, content in files.items()
    )
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in {**files, f"{INFO}RECORD": f"{rows}{INFO}RECORD,,\n".encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), content, method)


def corpus(script: str) -> Path:
    """Return the folder that keeps what a target has found, beside the current folder's other files; made if need be."""
    folder = Path("fuzz-corpus", Path(script).stem)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
