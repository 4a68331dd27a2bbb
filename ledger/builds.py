"""Extensions for the matrix, compiled against a release's headers as the CMake package does, once."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["EXTENSIONS", "Extension", "build"]

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


def build(extension: Extension, runtime: Path, work: Path) -> Path | None:
    """Return the library of an extension, or nothing if the release has not all that it needs.

    Args:
        extension: Which one.
        runtime: The folder of the unpacked release.
        work: A folder for libraries that are built against this release; what is there already is not built again.

    """
    compiler, *flags = *_COMPILERS[extension.source.suffix], *_FLAGS
    words = [_version(compiler), *flags, _EXPORTS, runtime.name, extension.source.read_text(encoding="utf-8")]
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    library = work / f"{extension.name}-{digest}.so"
    refusal = library.with_suffix(".refused")
    if library.exists() or refusal.exists():
        return library if library.exists() else None

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
        refusal.write_text(done.stderr, encoding="utf-8")
        return None
    return unfinished.rename(library)


@cache
def _version(compiler: str) -> str:
    done = subprocess.run([compiler, "--version"], check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout.partition("\n")[0]
