"""What is audited: everything that rules ask for, worked out when the first of them asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..binaries.runtime_calls import calls_runtime
from ..contract import read_ledger
from ..contract.assess import assess, assess_wheel
from ..contract.device_support import read_device_code_of_libraries, read_device_code_of_wheel
from ..contract.evidence.build_record import RECORD_FILE, read_record
from ..platforms.systems import LINUX
from ..stubgen.files.directives import MARKER
from ..stubgen.files.write import WORDS
from ..wheels.find_words import find_words
from ..wheels.import_packages import Imported, import_wheel
from .audit_settings import Settings
from .optional_libraries import find_optional_libraries
from .preloading import read_preloading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..binaries import Binary, Image
    from ..binaries.device_code import DeviceCode
    from ..contract import Ledger
    from ..contract.assess import Assessment
    from ..contract.evidence.build_record import Record
    from ..errors import ContradictionError
    from ..platforms.systems import Platform
    from ..wheels import Wheel
    from ..wheels.libraries import WheelLibraries
    from .preloading import Preloading

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
        contradiction: What does not fit in the wheel, which then cannot be read; None if it was read.
        before: The same files as they were before, in a wheel with other tags.

    """

    path: Path
    platform: Platform
    paths: Mapping[str, Path]
    binaries: Mapping[str, Binary]
    contents: WheelLibraries | None = None
    settings: Settings = field(default_factory=Settings)
    contradiction: ContradictionError | None = None
    before: Subject | None = None

    @classmethod
    def of(cls, libraries: WheelLibraries, settings: Settings | None = None) -> Subject:
        """Return the subject that a wheel is."""
        path, platform = libraries.wheel.path, libraries.platform
        return cls(path, platform, libraries.paths, libraries.binaries, libraries, settings or Settings())

    def with_tags_of(self, wheel: Wheel, settings: Settings) -> Subject:
        """Return the same files as the subject that another wheel is, so that nothing is worked out again."""
        return replace(self.of(replace(self.libraries, wheel=wheel), settings), before=self)

    @classmethod
    def of_contradiction(cls, path: Path, error: ContradictionError, settings: Settings) -> Subject:
        """Return the subject that a wheel is which cannot be read: it has no library, of whatever system."""
        return cls(path, LINUX, {}, {}, settings=settings, contradiction=error)

    @cached_property
    def reason_to_skip(self) -> str:
        """Why this is not the wheel of a TVM-FFI extension; empty if it is, or if it is a bare library."""
        return self.contents.reason_to_skip() if self.contents is not None else ""

    @property
    def libraries(self) -> WheelLibraries:
        """The wheel.

        Raises:
            TypeError: This is a bare library.

        """
        if self.contents is None:
            raise TypeError(self.path)
        return self.contents

    @property
    def ledger(self) -> Ledger:
        """What is known of the runtime's releases."""
        return read_ledger()

    @cached_property
    def assessment(self) -> Assessment:
        """What the libraries need of the runtime."""
        if self.before is not None and self.contents is not None:
            # Which environments a requirement is for, tags say.
            return self.before.assessment._replace(bounds=self.contents.wheel.runtime_bounds())
        if self.contents is not None:
            return assess_wheel(self.contents, self.ledger)
        return assess({name: (path, self.binaries[name]) for name, path in self.paths.items()}, self.ledger)

    @cached_property
    def device_code(self) -> dict[str, DeviceCode]:
        """The device code of the libraries and files that have some, by their names."""
        if self.contents is not None:
            return read_device_code_of_wheel(self.contents)
        return read_device_code_of_libraries(self.paths, self.binaries)

    @cached_property
    def preloading(self) -> Preloading:
        """What the Python files of the wheel load and import."""
        if self.before is not None:
            return self.before.preloading
        return read_preloading(self.libraries)

    @cached_property
    def optional_libraries(self) -> frozenset[str]:
        """The libraries without which its Python files work."""
        if self.before is not None:
            return self.before.optional_libraries
        return find_optional_libraries(self.libraries)

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
        return {name: text for name, text in self.stub_sources.items() if MARKER in text}

    @cached_property
    def stub_sources(self) -> dict[str, str]:
        """The Python files that stubs depend on, by name: those with directives, and those that register classes."""
        if self.contents is None:
            return {}
        if self.before is not None:
            return self.before.stub_sources
        contents = self.contents
        members = contents.wheel.archive.members
        texts = {
            name: b"".join(contents.chunks(name))
            for name in contents.wheel.files
            if _PYTHON.search(name)
            and members[name].file_size <= _LONGEST_STUBS
            and find_words(contents.chunks(name), WORDS)
        }
        return {name: text.decode("utf-8", "replace") for name, text in texts.items()}

    @cached_property
    def imported(self) -> Imported:
        """What came of importing its packages; nothing, if that was not asked for."""
        if self.contents is None or not self.settings.imports:
            return Imported()
        return import_wheel(self.contents.wheel, self.contents.folder / "import")

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
            if calls_runtime(binary, self.platform):
                yield name, binary
