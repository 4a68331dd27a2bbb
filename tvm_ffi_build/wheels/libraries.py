"""The libraries of a wheel: which they are, and what they need from outside of it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from ..binaries import read_binary
from ..errors import UnreadableBinaryError, WheelError
from ..platforms.systems import FORMATS, LINUX, base_name
from ..platforms.tags import system_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..binaries import Binary
    from ..platforms.systems import Platform
    from . import Wheel

__all__ = ["Contents", "find_wheels", "installed", "is_library", "platform_of", "read_contents"]

# With the version that a library's name may end in on Linux. What lies in a dSYM is debug information.
_LIBRARY = re.compile(r"\.(so(\.\d+)*|dylib|dll|pyd)$", re.IGNORECASE)
_DEBUG = ".dSYM/"
# The folder of the library that asks (macOS).
_BESIDE = "@loader_path/"
# What an installer puts where the rest of the wheel goes.
_SCHEME = re.compile(r"^[^/]+\.data/(plat|pure)lib/")
# What an extension exports for the runtime, and what it calls of it.
_EXPORTED = "__tvm_ffi_"
_IMPORTED = re.compile(r"TVMFFI[A-Z]|_ZN?K?[A-Z]*3tvm3ffi|\?.*@ffi@tvm@@")


class Contents(NamedTuple):
    """A wheel's libraries, unpacked.

    Attributes:
        wheel: The wheel.
        platform: The operating system that it is for.
        paths: Where each library lies, by its name in the wheel.
        binaries: What each says of itself, by its name in the wheel.
        folder: Where they were unpacked to.

    """

    wheel: Wheel
    platform: Platform
    paths: Mapping[str, Path]
    binaries: Mapping[str, Binary]
    folder: Path

    def own(self) -> set[str]:
        """Return the file names and the names for others of the libraries that are in the wheel, in lower case."""
        names = {base_name(name) for name in self.binaries}
        names |= {base_name(image.name) for binary in self.binaries.values() for image in binary.images if image.name}
        return names

    def needed(self) -> dict[str, list[str]]:
        """Return what the libraries need that is not in the wheel, as they spell it, and which libraries need it."""
        own = self.own()
        found: dict[str, list[str]] = {}
        for name, binary in self.binaries.items():
            for needed in binary.libraries:
                if not self._is_inside(needed, name, own):
                    found.setdefault(needed, []).append(name)
        return found

    def _is_inside(self, needed: str, library: str, own: set[str]) -> bool:
        """Say whether what a library needs is in the wheel."""
        if needed.startswith("/"):
            return False  # there and nowhere else, whatever the wheel has
        if needed.startswith(_BESIDE):
            path = posixpath.join(posixpath.dirname(installed(library)), needed[len(_BESIDE) :])
            return posixpath.normpath(path) in set(map(installed, self.binaries))
        return base_name(needed) in own

    def runtime_copies(self) -> list[str]:
        """Return the names of copies of the runtime's library that are in the wheel."""
        return [
            name
            for name, binary in self.binaries.items()
            if any(self.platform.is_runtime(known) for known in (name, *(image.name or "" for image in binary.images)))
        ]

    def uses_runtime(self) -> bool:
        """Say whether this is the wheel of an extension: it needs the runtime, calls it or has functions for it."""
        if self.wheel.runtime_requirements():
            return True
        return any(
            any(self.platform.is_runtime(needed) for needed in binary.libraries)
            or any(symbol.startswith(_EXPORTED) for symbol in binary.exported)
            or any(_IMPORTED.match(symbol) for symbol in binary.imported)
            for binary in self.binaries.values()
        )


def installed(name: str) -> str:
    """Return where a file of a wheel will be, in the folder for packages."""
    return _SCHEME.sub("", name, count=1)


def is_library(name: str) -> bool:
    """Say whether a file of a wheel is a library, by its name."""
    return bool(_LIBRARY.search(name)) and _DEBUG not in name


def find_wheels(inputs: Iterable[Path]) -> list[Path]:
    """Return the wheels that are named, and those that lie in folders that are named.

    Raises:
        WheelError: There is no such file or folder.

    """
    found: dict[Path, None] = {}
    for path in inputs:
        if path.is_dir():
            found.update(dict.fromkeys(sorted(path.glob("*.whl"))))
        elif path.exists():
            found[path] = None
        else:
            raise WheelError(f"{path} does not exist", "name a wheel or a folder with wheels")
    return list(found)


def platform_of(wheel: Wheel) -> Platform | None:
    """Return the operating system that a wheel is for, or None for a pure wheel or an unknown system."""
    systems = map(system_of, wheel.platforms)
    return next((system for system in systems if system is not None), None)


def read_contents(wheel: Wheel, platform: Platform | None, folder: Path) -> Contents:
    """Verify a wheel, unpack its libraries into an empty folder and read them.

    Where the tag says nothing of a platform, the libraries do.

    Raises:
        WheelError: A file is not what the wheel says of it.
        UnreadableBinaryError: A file that is named as a library is none, or cut short.

    """
    paths = wheel.verify(folder / "files", is_library)
    binaries = {name: _read(wheel, name, path) for name, path in paths.items()}
    said = next((FORMATS[binary.format] for binary in binaries.values()), LINUX)
    return Contents(wheel, platform or said, paths, binaries, folder)


def _read(wheel: Wheel, name: str, path: Path) -> Binary:
    try:
        return read_binary(path)
    except UnreadableBinaryError as error:
        # Where it was unpacked to is gone when this is read.
        error.about = f"{wheel.path.name}: {name}"
        raise
