"""The libraries of a wheel, programs included: which they are, and what they need from outside of it."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ..binaries import described, kind_of_file, may_be_binary, read_binary
from ..binaries.runtime_calls import uses_runtime
from ..errors import UnreadableBinaryError, WheelError
from ..platforms.systems import FORMATS, LINUX, WINDOWS, base_name
from ..platforms.tags import parse_tags, system_of
from ..runtime import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ..binaries import Binary, FileKind
    from ..platforms.systems import Platform
    from . import Wheel

__all__ = [
    "PURE_PYTHON",
    "THE_RUNTIME",
    "WheelLibraries",
    "find_wheels",
    "installed",
    "may_hold_library",
    "platform_of",
    "read_bare_library",
    "read_libraries",
]

# What is called so and is not a library by its bytes was damaged on the way, as by Git without LFS. No other file is a
# library, or is none, by its name.
_CALLED_LIBRARY = re.compile(r"\.(so(\.\d+)*|dylib|dll|pyd)$", re.IGNORECASE)
_PYTHON = (".py", ".pyi")
# What lies in a dSYM is debug information.
_DEBUG = ".dSYM/"
# The folder of the library that asks (macOS).
_BESIDE = "@loader_path/"
# What an installer puts where the rest of the wheel goes.
_SCHEME = re.compile(r"^[^/]+\.data/(plat|pure)lib/")
# What it puts where users start programs from.
_SCRIPTS = re.compile(r"^[^/]+\.data/scripts/")
_PIECE = 1 << 18
THE_RUNTIME = "the runtime itself"
PURE_PYTHON = "pure Python"
_NOT_USED = f"does not use {DISTRIBUTION}"


@dataclass(frozen=True)
class WheelLibraries:
    """A wheel's libraries and programs, unpacked and read once; checks, repair and audit share it.

    Attributes:
        wheel: The wheel.
        platform: The operating system that it is for.
        paths: Where each library lies, by its name in the wheel.
        binaries: What each says of itself, by its name in the wheel.
        folder: Where they were unpacked to.
        texts: Where each Python file lies, by its name in the wheel.
        others: What else linkers, debuggers or GPUs take, by its name in the wheel.
        damaged: What is wrong with libraries that cannot be read, by their names in the wheel.

    """

    wheel: Wheel
    platform: Platform
    paths: Mapping[str, Path]
    binaries: Mapping[str, Binary]
    folder: Path
    texts: Mapping[str, Path] = field(default_factory=dict)
    others: Mapping[str, FileKind] = field(default_factory=dict)
    damaged: Mapping[str, UnreadableBinaryError] = field(default_factory=dict)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the contents of a file piece by piece, without inflating again what has been unpacked.

        Raises:
            WheelError: It is damaged.

        """
        if name not in self.texts:
            yield from self.wheel.archive.chunks(name)
            return
        with self.texts[name].open("rb") as file:
            yield from iter(partial(file.read, _PIECE), b"")

    def reason_to_skip(self) -> str:
        """Return why this is not the wheel of a TVM-FFI extension; empty if it is.

        ``audit``, ``contract``, ``repair`` and ``wheel`` all ask this, and nothing else.

        Raises:
            UnreadableBinaryError: It is one, and a library in it is damaged; or a file is called a library and is not
                one.

        """
        if self.wheel.is_runtime:
            return THE_RUNTIME
        for name, error in self.damaged.items():
            # Others may be test data, and of no concern if this is not an extension's wheel.
            if _CALLED_LIBRARY.search(name) or self.uses_runtime():
                raise error
        if not self.binaries:
            return PURE_PYTHON if self.wheel.platforms == ("any",) else "no library in it"
        return "" if self.uses_runtime() else _NOT_USED

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
        return [name for name, binary in self.binaries.items() if _is_runtime(name, binary, self.platform)]

    def uses_runtime(self) -> bool:
        """Say whether it requires the runtime, or holds a library that uses it or is a copy of it."""
        return bool(
            self.wheel.runtime_requirements()
            or self.runtime_copies()
            or any(uses_runtime(binary, self.platform) for binary in self.binaries.values())
        )


def installed(name: str) -> str:
    """Return where a file of a wheel will be, in the folder for packages."""
    return _SCHEME.sub("", name, count=1)


def find_wheels(inputs: Iterable[Path]) -> list[Path]:
    """Return the wheels that are named, and those that lie in folders that are named, each once.

    Raises:
        WheelError: There is no such file or folder.

    """
    found: dict[tuple[str, str], Path] = {}
    for path in inputs:
        if not path.exists():
            raise WheelError(f"{path} does not exist", "pass a wheel or a directory with wheels")
        for wheel in sorted(path.glob("*.whl")) if path.is_dir() else [path]:
            # "dist" and "./dist/a.whl" name the same file; a link with another name is another wheel.
            found.setdefault((os.path.realpath(wheel), wheel.name), wheel)
    return list(found.values())


def platform_of(wheel: Wheel) -> Platform | None:
    """Return the operating system that a wheel is for, or None for a pure wheel or an unknown system."""
    systems = map(system_of, wheel.platforms)
    return next((system for system in systems if system is not None), None)


def read_libraries(wheel: Wheel, folder: Path, platform: Platform | None = None) -> WheelLibraries:
    """Verify a wheel, unpack its libraries into an empty folder and read them: each file is inflated once.

    Args:
        wheel: The wheel.
        folder: Where to unpack to.
        platform: The operating system that it is for, if the caller knows; else its tag says, or its libraries do.

    Raises:
        WheelError: A file is not what the wheel says of it.

    """
    found: list[str] = []

    def is_wanted(name: str, head: bytes) -> bool:
        if _may_be_library(name, head):
            found.append(name)
            return True
        return name.endswith(_PYTHON) and _DEBUG not in name

    unpacked = wheel.verify(folder / "files", is_wanted)
    paths: dict[str, Path] = {}
    binaries: dict[str, Binary] = {}
    others: dict[str, FileKind] = {name: "debug symbols" for name in wheel.files if _DEBUG in name}
    damaged: dict[str, UnreadableBinaryError] = {}
    for name in found:
        kind = kind_of_file(unpacked[name])
        if kind == "loadable" or (kind is None and _CALLED_LIBRARY.search(name)):
            try:
                binary = _read(wheel, name, unpacked[name])
            except UnreadableBinaryError as error:
                damaged[name] = error
                continue
            if not _is_launcher(name, binary, wheel):
                paths[name], binaries[name] = unpacked[name], binary
        elif kind is not None:
            others[name] = kind
    said = next((FORMATS[binary.format] for binary in binaries.values()), LINUX)
    texts = {name: path for name, path in unpacked.items() if name.endswith(_PYTHON)}
    return WheelLibraries(
        wheel, platform or platform_of(wheel) or said, paths, binaries, folder, texts, others, damaged
    )


def may_hold_library(wheel: Wheel) -> bool:
    """Say whether a file of a wheel begins as a library does or is called one, without verifying the wheel."""
    return any(_may_be_library(name, wheel.head(name)) for name in wheel.files)


def read_bare_library(path: Path) -> tuple[Binary | None, str]:
    """Read a file that is not in a wheel; return it, or why it is not a library of a TVM-FFI extension.

    Raises:
        UnreadableBinaryError: It cannot be read, is of none of the formats, or is damaged.

    """
    kind = kind_of_file(path)
    if kind not in {None, "loadable"}:
        return None, described(kind)
    binary = read_binary(path)
    platform = FORMATS[binary.format]
    if _is_runtime(path.name, binary, platform):
        return None, THE_RUNTIME
    return (binary, "") if uses_runtime(binary, platform) else (None, _NOT_USED)


def _may_be_library(name: str, head: bytes) -> bool:
    return _DEBUG not in name and (may_be_binary(head) or bool(_CALLED_LIBRARY.search(name)))


def _is_runtime(name: str, binary: Binary, platform: Platform) -> bool:
    return any(platform.is_runtime(known) for known in (name, *(image.name or "" for image in binary.images)))


def _is_launcher(name: str, binary: Binary, wheel: Wheel) -> bool:
    """Say whether this is a program of Windows that a package has as data.

    Tools that make scripts (setuptools, distlib) have one for each processor, in wheels for every system.
    """
    if binary.format != "PE" or not binary.is_program or _SCRIPTS.match(name):
        return False
    fitting = {
        part.architecture for tag in parse_tags(wheel.platforms) if tag.system == WINDOWS for part in tag.slices()
    }
    return fitting.isdisjoint(image.architecture for image in binary.images)


def _read(wheel: Wheel, name: str, path: Path) -> Binary:
    try:
        return read_binary(path)
    except UnreadableBinaryError as error:
        # Where it was unpacked to is gone when this is read.
        error.about = f"{wheel.path.name}: {name}"
        raise
