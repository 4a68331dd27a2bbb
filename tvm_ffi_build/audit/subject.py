"""What is audited: everything that rules ask for, worked out when the first of them asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ..contract import read_ledger
from ..contract.assess import assess, assess_wheel
from ..contract.device_support import read_device_code_of_wheel, read_libraries
from ..contract.evidence.build_record import RECORD_FILE, read_record
from ..contract.evidence.needs import is_runtime_symbol
from ..stubgen.files.directives import MARKER
from ..wheels.find_words import find_words
from .audit_settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..binaries import Binary, Image
    from ..binaries.device_code import DeviceCode
    from ..contract import Ledger
    from ..contract.assess import Assessment
    from ..contract.evidence.build_record import Record
    from ..platforms.systems import Platform
    from ..wheels.libraries import Contents

__all__ = ["Subject"]

# A generator writes less; longer files are not checked.
_LONGEST_STUBS = 4 << 20
_PYTHON = re.compile(r"\.pyi?$")


@dataclass(frozen=True)
class Subject:
    """A wheel or a bare library.

    Attributes:
        path: Which file.
        platform: The operating system that it is for.
        paths: Where each library lies, by its name in the wheel; a bare one has that of its file.
        binaries: What each says of itself, by the same name.
        contents: The wheel; None for a bare library.
        settings: What the project has set.

    """

    path: Path
    platform: Platform
    paths: Mapping[str, Path]
    binaries: Mapping[str, Binary]
    contents: Contents | None = None
    settings: Settings = field(default_factory=Settings)

    @property
    def ledger(self) -> Ledger:
        """What is known of the runtime's releases."""
        return read_ledger()

    @cached_property
    def assessment(self) -> Assessment:
        """What the libraries need of the runtime."""
        if self.contents is not None:
            return assess_wheel(self.contents, self.ledger)
        return assess({name: (path, self.binaries[name]) for name, path in self.paths.items()}, self.ledger)

    @cached_property
    def device_code(self) -> dict[str, DeviceCode]:
        """The device code of the libraries and files that have some, by their names."""
        if self.contents is not None:
            return read_device_code_of_wheel(self.contents)
        return read_libraries(self.paths, self.binaries)

    @cached_property
    def record(self) -> Record | None:
        """What the wheel says of its build, if it does."""
        if self.contents is None:
            return None
        wheel = self.contents.wheel
        # hatchling puts what others have for .dist-info into a folder there.
        names = (f"{wheel.dist_info}{folder}{RECORD_FILE}" for folder in ("", "extra_metadata/"))
        found = next((name for name in names if name in wheel.archive.members), None)
        return read_record(wheel.read(found), found) if found else None

    @cached_property
    def generated(self) -> dict[str, str]:
        """The Python files with directives of stubgen, by name."""
        if self.contents is None:
            return {}
        wheel = self.contents.wheel
        marker = MARKER.encode()
        named = (name for name in wheel.files if _PYTHON.search(name))
        with_marker = [
            name
            for name in named
            if wheel.archive.members[name].file_size <= _LONGEST_STUBS
            and find_words(wheel.archive.chunks(name), [marker])
        ]
        return {name: wheel.read(name).decode("utf-8", "replace") for name in with_marker}

    @cached_property
    def tags(self) -> frozenset[tuple[str, str]]:
        """What the tag of the wheel says of Python and its ABI; nothing for a bare library."""
        if self.contents is None:
            return frozenset()
        pythons, abis, _ = self.contents.wheel.tag.split("-")
        return frozenset((python, abi) for python in pythons.split(".") for abi in abis.split("."))

    @property
    def is_agnostic(self) -> bool:
        """Whether the wheel says that it serves every Python, or every one from some version on."""
        return any(python.startswith("py") and abi == "none" for python, abi in self.tags)

    def images(self) -> Iterator[tuple[str, Image]]:
        """Yield each architecture of each library, by the library's name."""
        for name, binary in self.others():
            for image in binary.images:
                yield name, image

    def others(self) -> Iterator[tuple[str, Binary]]:
        """Yield the libraries that are no copy of the runtime."""
        for name, binary in self.binaries.items():
            if not any(map(self.platform.is_runtime, (name, *(image.name or "" for image in binary.images)))):
                yield name, binary

    def users(self) -> Iterator[tuple[str, Binary]]:
        """Yield the libraries that call the runtime."""
        for name, binary in self.others():
            if any(map(is_runtime_symbol, binary.imported)) or any(map(self.platform.is_runtime, binary.libraries)):
                yield name, binary
