"""Extensions for the matrix, compiled against a release's headers as the CMake package does, once."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["EXTENSIONS", "Build", "Extension", "build"]

_SOURCES = Path(__file__).with_name("extensions")
_COMPILERS = {".c": ("gcc", "-std=c11"), ".cc": ("g++", "-std=c++17")}
_FLAGS = ("-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,--exclude-libs,ALL")
_EXPORTS = "{ global: __tvm_ffi_*; local: *; };\n"


@dataclass(frozen=True)
class Extension:
    """A source, and the program that tries all that it does.

    Attributes:
        source: A file of C or C++.
        check: A program of Python that takes the library's path and ends with 0 if all works.

    """

    source: Path
    check: Path

    @property
    def name(self) -> str:
        """What it is called."""
        return self.source.stem


def _extensions() -> dict[str, Extension]:
    sources = sorted(path for path in _SOURCES.iterdir() if path.suffix in _COMPILERS)
    return {source.stem: Extension(source, source.with_suffix(".py")) for source in sources}


EXTENSIONS = _extensions()


class Build(NamedTuple):
    """What became of an extension.

    Attributes:
        library: The library, or None.
        refusal: The compiler's first error; the release has not all that the extension needs.

    """

    library: Path | None
    refusal: str


def build(extension: Extension, runtime: Path, work: Path) -> Build:
    """Compile an extension against a release, if that was not done before.

    Args:
        extension: Which one.
        runtime: The folder of the unpacked release.
        work: A folder for what is built against this release.

    """
    compiler, *flags = *_COMPILERS[extension.source.suffix], *_FLAGS
    words = [_version(compiler), *flags, _EXPORTS, runtime.name, extension.source.read_text(encoding="utf-8")]
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    library = work / f"{extension.name}-{digest}.so"
    refusal = library.with_suffix(".refused")
    if not (library.exists() or refusal.exists()):
        work.mkdir(parents=True, exist_ok=True)
        exports = work / "exports"
        exports.write_text(_EXPORTS, encoding="utf-8")
        package = runtime / "tvm_ffi"
        unfinished = library.with_suffix(".unfinished")
        command: list[str | Path] = [
            compiler, *flags, f"-Wl,--version-script={exports}", f"-ffile-prefix-map={package / 'include'}/=",
            "-isystem", package / "include", extension.source, "-L", package / "lib", "-ltvm_ffi", "-o", unfinished,
        ]  # fmt: skip
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, encoding="utf-8")
        if done.returncode:
            unfinished.write_text(done.stderr, encoding="utf-8")
        unfinished.rename(refusal if done.returncode else library)
    if library.exists():
        return Build(library, "")
    errors = (line for line in refusal.read_text(encoding="utf-8").splitlines() if "error: " in line)
    return Build(None, next(errors, "no reason"))


@cache
def _version(compiler: str) -> str:
    done = subprocess.run([compiler, "--version"], check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout.partition("\n")[0]
