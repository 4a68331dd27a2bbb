"""The libraries of a wheel that its own libraries need by name: what another wheel's library of that name takes over.

The dynamic linker of Linux takes a loaded library for every other one of the same SONAME (ld.so(8), dlopen(3)), Windows
one of the same file name (LoadLibrary). macOS tells libraries by their paths.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from ..platforms.systems import MACOS, base_name
from ..wheels.libraries import installed
from .resolved_libraries import resolve_libraries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..binaries import Image
    from .subject import Subject

__all__ = ["PrivateLibrary", "describe_renaming", "find_private_libraries", "fingerprint_library", "has_own_name"]

# What auditwheel and delvewheel add: the beginning of a hash of the library.
_HASHED = re.compile(r"-[0-9a-f]{8,}(\.|$)")
_BUILD_ID = 3  # NT_GNU_BUILD_ID
_NO_LETTER = re.compile(r"[^a-z0-9]")
_PIECE = 1 << 20


class PrivateLibrary(NamedTuple):
    """A library that others of the same wheel need.

    Attributes:
        system: The operating system that it is for.
        architecture: For which processor it is.
        name: What they ask for, in lower case.
        fingerprints: What tells the files of that name from others, by the file's name in the wheel.

    """

    system: str
    architecture: str
    name: str
    fingerprints: Mapping[str, str]


def find_private_libraries(subject: Subject) -> list[PrivateLibrary]:
    """Return the libraries that libraries of the wheel ask for by name; on macOS there are none."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for architecture in {image.architecture for _, image in subject.images()} if subject.platform != MACOS else ():
        libraries = resolve_libraries(subject, architecture)
        for needed in {needed for image in libraries.images.values() for needed in image.libraries}:
            if libraries.find_named(needed) and not subject.platform.is_runtime(needed):
                found[architecture, base_name(needed)] = libraries.find_named(needed)
    return [
        PrivateLibrary(
            subject.platform.name,
            architecture,
            name,
            {
                file: fingerprint_library(subject.paths[file], subject.binaries[file].images[0])
                for file in sorted(files)
            },
        )
        for (architecture, name), files in sorted(found.items())
        # No other wheel has a library of such a name.
        if not _HASHED.search(name)
    ]


def has_own_name(subject: Subject, library: str) -> bool:
    """Say whether a library's name contains that of the distribution or of a package, which others have not."""
    if subject.contents is None:
        return True
    wheel = subject.contents.wheel
    packages = {installed(name).partition("/")[0] for name in wheel.files if name.endswith(".py")}
    return any(name in _keep_letters(library) for name in map(_keep_letters, {wheel.name, *packages}) if name)


def describe_renaming(wheel: Path, library: str) -> str:
    """Return what to write in CMakeLists.txt so that a library has a name of its own."""
    target = library.partition(".")[0].removeprefix("lib")
    package = wheel.name.partition("-")[0].lower()
    return f"set_target_properties({target} PROPERTIES OUTPUT_NAME {package}_{target})"


def _keep_letters(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())


def fingerprint_library(path: Path, image: Image) -> str:
    """Return what tells a library from others, whatever was done to it after it was linked, as far as it says."""
    for note in image.notes:
        if (note.owner, note.kind) == ("GNU", _BUILD_ID):
            with path.open("rb") as file:
                file.seek(note.offset)
                return file.read(note.size).hex()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(_PIECE), b""):
            digest.update(piece)
    return digest.hexdigest()
