"""What a build says of itself: each library which runtime it was compiled against, a wheel how all of it was made.

Both are written by ``cmake/record.cmake``. A library has the runtime's version in a note (ELF) or a section of its own
(Mach-O, PE), where neither linkers nor strip remove it; a wheel has a file in its metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ...binaries import map_binary, parse_binary
from ...errors import RecordError
from ..strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ...binaries import Binary, Image
    from ...binaries.image import Data

__all__ = [
    "RECORD_FILE",
    "BuiltLibrary",
    "Compiler",
    "Record",
    "find_recorded_runtime",
    "read_record",
    "recorded_runtime",
]

# Below the wheel's .dist-info folder (PEP 427).
RECORD_FILE = "tvm_ffi_build.json"

_SCHEMA = 1
_OWNER, _VERSION = "TVM-FFI", 1
_SECTIONS = frozenset({"__TEXT,__tvm_ffi_abi", ".tvmffi"})
# Of all notes or sections in a library: each part that it is linked from may bring a version, of some dozen bytes.
_LONGEST = 1 << 16
_LINKS = frozenset({"prebuilt", "source", "header"})


class Compiler(NamedTuple):
    """A compiler, in CMake's words: ``GNU``, ``12.2.0``."""

    id: str
    version: str


class BuiltLibrary(NamedTuple):
    """A library or program of the build; it need not be in the wheel.

    Attributes:
        name: Of its file, without a folder.
        link: What it was linked to: the runtime's own library (``prebuilt``), one that was built from the sources that
            the runtime ships (``source``), or nothing of the runtime (``header``).

    """

    name: str
    link: str


class Record(NamedTuple):
    """What a wheel says about its build.

    Attributes:
        runtime: The version of apache-tvm-ffi that it was built against, as the distribution's metadata has it.
        tvm_ffi_build: The version of tvm-ffi-build.
        cmake: The version of CMake.
        compilers: The compilers of the project, by language: ``C``, ``CXX``, ``CUDA``.
        libraries: What was built.
        cuda_architectures: What CUDA code was compiled for, as CMake spells it; targets may have others.
        derived: What is added to a finished wheel, by tools that read its libraries; nothing yet.

    """

    runtime: str
    tvm_ffi_build: str
    cmake: str
    compilers: Mapping[str, Compiler]
    libraries: tuple[BuiltLibrary, ...]
    derived: Mapping[str, Any]
    cuda_architectures: tuple[str, ...] = ()


def recorded_runtime(library: Path | bytes, name: str | None = None) -> str | None:
    """Return the version of the runtime that a library says it was compiled against.

    Args:
        library: The library: its path or its bytes.
        name: What to call it in messages, if not by its path.

    Returns:
        The version; None if the library, or one of its architectures, does not say.

    Raises:
        RecordError: What it says is not a version, or different things.
        UnreadableBinaryError: It is no library, or a damaged one.

    """
    if isinstance(library, bytes):
        name = name or "the library"
        return find_recorded_runtime(parse_binary(library, name), library, name)
    name = name or str(library)
    with map_binary(library) as data:
        return find_recorded_runtime(parse_binary(data, name), data, name)


def find_recorded_runtime(binary: Binary, data: Data, name: str) -> str | None:
    """Do what :func:`recorded_runtime` does with a library that has been read already."""
    found: set[str] = set()
    for image in binary.images:
        texts = list(_find_texts(image, data, name))
        if not texts:
            return None
        try:
            found.update(map(_parse_version, texts))
        except ValueError:
            raise _damage_error(name) from None
    if len(found) > 1:
        versions = ", ".join(sorted(found))
        raise RecordError(
            f"{name} was compiled against different runtimes ({versions}), part by part", "build it again"
        )
    return found.pop()


def _find_texts(image: Image, data: Data, name: str) -> Iterator[bytes]:
    notes = [(note.offset, note.size) for note in image.notes if (note.owner, note.kind) == (_OWNER, _VERSION)]
    sections = [(section.offset, section.size) for section in image.sections if section.name in _SECTIONS]
    places = notes or sections
    if sum(size for _, size in places) > _LONGEST:
        raise _damage_error(name)
    for offset, size in places:
        # Parts follow one another, and the last is filled up.
        yield from filter(None, data[offset : offset + size].split(b"\0"))


def _parse_version(text: bytes) -> str:
    from packaging.version import Version  # noqa: PLC0415  (a build does not read what it has written)

    return str(Version(text.decode("ascii")))


def _damage_error(name: str) -> RecordError:
    return RecordError(f"{name} has a damaged record of the runtime that it was compiled against", "build it again")


def read_record(data: bytes, name: str = RECORD_FILE) -> Record:
    """Return what the file in a wheel's metadata says.

    What it says beyond what is known here is passed over: as long as the number of the schema stays, keys keep their
    meaning, and there may be more of them.

    Args:
        data: The contents of the file.
        name: What to call it in messages.

    Raises:
        RecordError: It is no such file, was changed, or is of a later schema.

    """
    try:
        table = parse_object(data)
        schema = table["schema"]
        # A number and nothing that equals one, as true does.
        is_number = type(schema) is int
        if is_number and schema == _SCHEMA:
            return _parse_record(table)
        newer = is_number and schema > _SCHEMA
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        newer = False
    if newer:
        raise RecordError(
            f"{name} has the schema {schema}, this tvm-ffi-build knows {_SCHEMA}",
            command="python -m pip install -U tvm-ffi-build",
        )
    raise RecordError(f"{name} was changed or is not a build record", "build the wheel again")


def _parse_record(table: Mapping[str, Any]) -> Record:
    compilers = {
        language: Compiler(_require_text(row["id"]), _require_text(row["version"]))
        for language, row in table["compilers"].items()
    }
    libraries = tuple(
        BuiltLibrary(_require_text(row["name"]), _require_text(row["link"])) for row in table["libraries"]
    )
    derived, architectures = table.get("derived", {}), table.get("cuda-architectures", [])
    if not isinstance(table["libraries"], list) or not isinstance(architectures, list) or not isinstance(derived, dict):
        raise TypeError(derived)
    if any(library.link not in _LINKS for library in libraries):
        raise ValueError(libraries)
    return Record(
        runtime=_parse_version(_require_text(table["runtime"]).encode("ascii")),
        tvm_ffi_build=_require_text(table["tvm-ffi-build"]),
        cmake=_require_text(table["cmake"]),
        compilers=compilers,
        libraries=libraries,
        derived=derived,
        cuda_architectures=tuple(map(_require_text, architectures)),
    )


def _require_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
