"""Extensions for the matrix, compiled against a release's headers as the CMake package does, once."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["DEFAULT_COMPILERS", "EXTENSIONS", "Build", "Compiler", "Extension", "build"]

_SOURCES = Path(__file__).with_name("extensions")
_FLAGS = ("-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,--exclude-libs,ALL")
_EXPORTS = "{ global: __tvm_ffi_*; local: *; };\n"


class Compiler(NamedTuple):
    """What compiles.

    Attributes:
        command: The words that start it.
        flags: Its options.
        stand_ins: A folder of headers for releases that have none of that name.

    """

    command: tuple[str, ...]
    flags: tuple[str, ...]
    stand_ins: Path | None = None


# Of the matrix, by the ending of the source.
DEFAULT_COMPILERS = {
    ".c": Compiler(("gcc",), ("-std=c11", *_FLAGS)),
    ".cc": Compiler(("g++",), ("-std=c++17", *_FLAGS)),
}


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
    sources = sorted(path for path in _SOURCES.iterdir() if path.suffix in DEFAULT_COMPILERS)
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


def build(source: Path, runtime: Path, work: Path, compiler: Compiler | None = None) -> Build:
    """Compile an extension against a release, if that was not done before.

    Args:
        source: Its source, which may include headers that are beside it.
        runtime: The folder of the unpacked release.
        work: A folder for what is built against this release.
        compiler: With what; by default as for the matrix.

    """
    command, flags, stand_ins = compiler or DEFAULT_COMPILERS[source.suffix]
    headers = [*source.parent.glob("*.h"), *(stand_ins.rglob("*.h") if stand_ins else [])]
    texts = [path.read_text(encoding="utf-8") for path in (source, *sorted(headers))]
    words = [_version(command), *flags, _EXPORTS, runtime.name, *texts]
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    library = work / f"{source.stem}-{digest}.so"
    refusal = library.with_suffix(".refused")
    if not (library.exists() or refusal.exists()):
        work.mkdir(parents=True, exist_ok=True)
        exports = work / "exports"
        exports.write_text(_EXPORTS, encoding="utf-8")
        package = runtime / "tvm_ffi"
        unfinished = library.with_suffix(".unfinished")
        words = [
            *command,
            *flags,
            f"-Wl,--version-script={exports}",
            f"-ffile-prefix-map={package / 'include'}/=",
            "-isystem",
            str(package / "include"),
            *(["-idirafter", str(stand_ins)] if stand_ins else []),
            str(source),
            "-L",
            str(package / "lib"),
            "-ltvm_ffi",
            "-o",
            str(unfinished),
        ]
        done = subprocess.run(words, check=False, stderr=subprocess.PIPE, encoding="utf-8")
        if done.returncode:
            unfinished.write_text(done.stderr, encoding="utf-8")
        unfinished.rename(refusal if done.returncode else library)
    if library.exists():
        return Build(library, "")
    errors = (line for line in refusal.read_text(encoding="utf-8").splitlines() if "error: " in line)
    return Build(None, next(errors, "no reason"))


@cache
def _version(command: tuple[str, ...]) -> str:
    done = subprocess.run([*command, "--version"], check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout.partition("\n")[0]
