"""Wheels: PEP 427 and the "Binary distribution format" of the packaging specifications."""

from __future__ import annotations

import csv
import hashlib
import math
import os
import re
from contextlib import contextmanager, nullcontext
from functools import cached_property
from itertools import chain, islice, product
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from ..errors import ContradictionError, WheelError
from ..platforms.systems import WINDOWS
from ..platforms.tags import system_of
from ..runtime import is_runtime_distribution
from .archive import escape, open_archive
from .markers import applies_in, list_environments, runtime_bounds, runtime_requirements
from .metadata import Headers
from .record import SIGNATURES, encode_digest, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from .archive import Archive

__all__ = ["HEAD", "Wheel", "open_wheel", "tag_of"]

# Metadata, not contents: a few kilobytes, and a long description.
_LONGEST_METADATA = 16 << 20
# What of a file's beginning decides whether to unpack it.
HEAD = 8
_STRONG = {"sha256", "sha384", "sha512"}
# From here on two threads are faster than one; and so many pieces are handed over at once.
_LARGE, _BATCH = 16 << 20, 16
# Devices, which have all suffixes and are in every folder, and what loses its end.
_NOT_ON_WINDOWS = re.compile(
    r"(^|/)(aux|con|conin\$|conout\$|nul|prn|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.[^/]*)?(/|$)|[. ](/|$)",
    re.IGNORECASE,
)
# What tags with dots stand for multiplies.
_MOST_TAGS = 1000


class Wheel:
    """A wheel whose name, metadata and directory agree; what is in its files is checked by :meth:`verify`.

    Attributes:
        path: Where it is.
        archive: The archive that it is.
        name: The distribution's name, normalized (PEP 503).
        version: Its version.
        tags: Its compatibility tags as the file ``WHEEL`` has them.
        dist_info: The folder of its metadata, with a slash.

    """

    def __init__(self, path: Path, archive: Archive) -> None:
        self.path = path
        self.archive = archive
        # Metadata that has been inflated already.
        self._metadata: dict[str, bytes] = {}
        self._headers: dict[str, Headers] = {}
        try:
            self.name, self.version, _, expanded = parse_wheel_filename(path.name)
        except (InvalidWheelFilename, InvalidVersion) as error:
            raise WheelError(
                f"{path.name} is not the name of a wheel: {error}", "give the file the name it was built with"
            ) from None
        self.dist_info = self._dist_info()
        headers = self.headers("METADATA")
        if canonicalize_name(headers.first("Name")) != self.name or not _same(headers.first("Version"), self.version):
            named = f"{headers.first('Name')} {headers.first('Version')}".strip() or "nothing"
            raise ContradictionError(
                f"{path.name} says inside that it is {escape(named)}", "build it again, and do not rename wheels"
            )
        # A newer major version may keep files elsewhere (PEP 427).
        major = self.headers("WHEEL").first("Wheel-Version").partition(".")[0]
        if major not in {"", "1"}:
            raise WheelError(f"{path.name} has wheel format {escape(major)}, and only 1 is supported", "update this")
        self.tags = self.headers("WHEEL").all("Tag")
        if {str(tag) for tag in expanded} != _expanded(self.tags):
            raise ContradictionError(
                f"{path.name} says inside that its tags are {escape(', '.join(self.tags) or 'none')}",
                "build it again, and change tags with: python -m wheel tags",
            )
        if os.name == "nt" or WINDOWS in map(system_of, self.platforms):
            self._refuse_devices()

    @property
    def tag(self) -> str:
        """The compatibility tag of its name, in lower case as installers read it, such as ``py3-none-linux_x86_64``."""
        return tag_of(self.path)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of its name."""
        return tuple(self.tag.rpartition("-")[2].split("."))

    @property
    def files(self) -> list[str]:
        """The names of its members that are files."""
        return [name for name in self.archive.members if not name.endswith("/")]

    def read(self, name: str) -> bytes:
        """Return the contents of a small file.

        Raises:
            WheelError: It is not there, is not small, or damaged.

        """
        member = self.archive.members.get(name)
        if member is None:
            raise WheelError(f"{self.path.name} has no {name}", "build it again")
        if member.file_size > _LONGEST_METADATA:
            raise WheelError(f"{self.path.name} has a {name} of {member.file_size >> 20} MiB", "do not use it")
        if not name.startswith(self.dist_info):
            return b"".join(self.archive.chunks(name))
        if name not in self._metadata:
            self._metadata[name] = b"".join(self.archive.chunks(name))
        return self._metadata[name]

    def head(self, name: str) -> bytes:
        """Return the first bytes of a file (:data:`HEAD`), which are not compared with RECORD.

        Raises:
            WheelError: It is damaged.

        """
        return _peek(self.archive.chunks(name))[0]

    def headers(self, name: str) -> Headers:
        """Return the fields of a metadata file.

        Args:
            name: ``METADATA`` or ``WHEEL``.

        Raises:
            WheelError: It is not there, or no text.

        """
        try:
            if name not in self._headers:
                self._headers[name] = Headers(self.read(self.dist_info + name).decode("utf-8"))
            return self._headers[name]
        except UnicodeDecodeError:
            raise WheelError(f"{self.path.name} has a {name} that is not UTF-8", "build it again") from None
        except ValueError:
            raise WheelError(f"{self.path.name} has a {name} with too many fields", "do not use it") from None

    @property
    def requirements(self) -> list[Requirement]:
        """What it requires of other distributions, as far as that can be read."""
        found = map(_requirement, self.headers("METADATA").all("Requires-Dist"))
        return [requirement for requirement in found if requirement is not None]

    @property
    def other_requirements(self) -> list[Requirement]:
        """What it requires beside the runtime."""
        return [requirement for requirement in self.requirements if not is_runtime_distribution(requirement.name)]

    @property
    def runtime_mentions(self) -> list[Requirement]:
        """What it requires of the runtime under any condition, also one that never holds for this wheel."""
        return [requirement for requirement in self.requirements if is_runtime_distribution(requirement.name)]

    @property
    def is_runtime(self) -> bool:
        """Whether this is a wheel of the runtime itself."""
        return is_runtime_distribution(self.name)

    @cached_property
    def environments(self) -> list[dict[str, str]]:
        """The marker environments (PEP 508) in which a plain install may choose it."""
        return list_environments(self.tag, self.headers("METADATA").first("Requires-Python"))

    def runtime_requirements(self) -> list[Requirement]:
        """Return the requirements of the runtime that a plain install follows in at least one environment."""
        return runtime_requirements(self.requirements, self.environments)

    def runtime_bounds(self) -> tuple[SpecifierSet, ...]:
        """Return the releases of the runtime that are allowed: one set, or several where markers choose among them.

        Environments in which the wheel does not require the runtime add nothing.
        """
        return tuple(dict.fromkeys(bounds for _, bounds in self._bounds_by_environment if bounds is not None))

    def environments_without_runtime(self) -> list[str]:
        """Return names for the environments in which a plain install does not bring the runtime."""
        lacking = [environment for environment, bounds in self._bounds_by_environment if bounds is None]
        name = "Python {python_version} on {platform_system} {platform_machine}"
        return list(dict.fromkeys(name.format_map(environment) for environment in lacking))

    def mentions(self, distributions: Iterable[str]) -> list[Requirement]:
        """Return what it requires of some distributions under any condition, also one that never holds for this wheel.

        Args:
            distributions: Their normalized names (PEP 503), some with an extra in brackets.

        """
        names = frozenset(distributions)
        return [requirement for requirement in self.requirements if not names.isdisjoint(_spell(requirement))]

    def requires_one_of(self, distributions: Iterable[str]) -> bool:
        """Say whether a plain install brings one of some distributions in every environment that may choose it."""
        candidates = self.mentions(distributions)
        return all(any(applies_in(requirement, one) for requirement in candidates) for one in self.environments)

    def requires_runtime(self) -> bool:
        """Say whether a plain install brings the runtime in every environment that may choose this wheel."""
        return not self.environments_without_runtime()

    @cached_property
    def _bounds_by_environment(self) -> list[tuple[dict[str, str], SpecifierSet | None]]:
        candidates = self.runtime_requirements()
        return [(environment, runtime_bounds(candidates, environment)) for environment in self.environments]

    def verify(
        self,
        folder: Path | None = None,
        wanted: Callable[[str, bytes], bool] = lambda *_: False,
        *,
        verified: Wheel | None = None,
    ) -> dict[str, Path]:
        """Check every file against RECORD, and unpack some on the way: each is inflated once.

        Args:
            folder: Where to unpack to.
            wanted: Says which, by the file's name and its first bytes (:data:`HEAD`).
            verified: A wheel that has been verified. What lies in both as the same bytes, with the same row in both
                RECORDs, is not inflated again.

        Returns:
            The paths of what was unpacked, by name.

        Raises:
            WheelError: A file is not in RECORD, not as RECORD says, or not there.

        """
        record = self.record()
        known = verified.record() if verified else {}
        unpacked: dict[str, Path] = {}
        made: set[Path] = set()
        for name in self.files:
            if name.startswith(self.dist_info) and name[len(self.dist_info) :] in ("RECORD", *SIGNATURES):
                record.pop(name, None)
                continue
            entry = record.pop(name, None)
            if entry is None:
                raise ContradictionError(
                    f"{self.path.name} has {escape(name)}, which RECORD does not list", "build it again"
                )
            if verified and known.get(name) == entry and self.archive.has_same(name, verified.archive):
                continue
            known_content = self._metadata.get(name)
            head, pieces = _peek(self.archive.chunks(name) if known_content is None else iter((known_content,)))
            path = None
            if folder is not None and wanted(name, head):
                path = unpacked[name] = folder / name
                if path.parent not in made:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    made.add(path.parent)
            self._verify_file(name, entry, pieces, path)
        return unpacked

    def _verify_file(self, name: str, entry: tuple[str, str], pieces: Iterable[bytes], path: Path | None) -> None:
        wanted, size = entry
        algorithm, _, digest = wanted.partition("=")
        if algorithm not in _STRONG:
            raise ContradictionError(
                f"{self.path.name} has no SHA-256 of {escape(name)} in its RECORD", "build it again"
            )
        hasher = hashlib.new(algorithm)
        with path.open("wb") if path else nullcontext() as file:

            def consume(piece: bytes) -> None:
                hasher.update(piece)
                if file is not None:
                    file.write(piece)

            give = _give_beside if self.archive.members[name].file_size >= _LARGE else _give
            give(pieces, consume)
        matches = encode_digest(hasher.digest()) == digest.rstrip("=")
        if not matches or (size and size != str(self.archive.members[name].file_size)):
            raise ContradictionError(
                f"{self.path.name} has a {escape(name)} that is not what RECORD says", "get or build it again"
            )

    def record(self) -> dict[str, tuple[str, str]]:
        """Return what RECORD says: hash and size by name.

        Raises:
            WheelError: It is no table, has a row twice, or speaks of files that are not there.

        """
        entries: dict[str, tuple[str, str]] = {}
        files = set(self.files)
        try:
            text = self.read(f"{self.dist_info}RECORD").decode("utf-8")
            for row in read_rows(text):
                if len(row) != 3 or row[0] in entries:
                    raise ContradictionError(
                        f"{self.path.name} has {escape(','.join(row))} in its RECORD", "build it again"
                    )
                if row[0] not in files:
                    raise ContradictionError(
                        f"{self.path.name} has no {escape(row[0])}, which RECORD lists", "build it again"
                    )
                entries[row[0]] = (row[1], row[2])
        except UnicodeDecodeError:
            raise ContradictionError(f"{self.path.name} has a RECORD that is not UTF-8", "build it again") from None
        except csv.Error:
            raise ContradictionError(f"{self.path.name} has a RECORD that is not a table", "build it again") from None
        return entries

    def _refuse_devices(self) -> None:
        """Refuse what Windows does not write as it is named; elsewhere such names are as good as others."""
        for name in self.archive.members:
            if _NOT_ON_WINDOWS.search(name):
                raise WheelError(
                    f"{self.path.name} holds {escape(name)}, a device on Windows or a name that it changes", "rename it"
                )

    def _dist_info(self) -> str:
        # Those further down came with other people's packages.
        found = {name.partition("/")[0] for name in self.archive.members if "/" in name}
        found = {folder for folder in found if folder.endswith(".dist-info")}
        for folder in sorted(found):
            name, _, version = folder.removesuffix(".dist-info").rpartition("-")
            if len(found) == 1 and canonicalize_name(name) == self.name and _same(version, self.version):
                return f"{folder}/"
        held = ", ".join(map(escape, sorted(found)[:3])) or "no .dist-info"
        raise ContradictionError(f"{self.path.name} holds {held}", "build it again, and do not rename wheels")


@contextmanager
def open_wheel(path: Path) -> Iterator[Wheel]:
    """Open a wheel, and check that it is one.

    Raises:
        WheelError: It is none, or name, metadata and contents disagree.

    """
    with open_archive(path) as archive:
        yield Wheel(path, archive)


def tag_of(path: Path) -> str:
    """Return the compatibility tag of a wheel's name, in lower case as installers read it."""
    # {name}-{version}(-{build})?-{python}-{abi}-{platform}.whl, where no part holds a hyphen.
    return "-".join(path.stem.split("-")[-3:]).lower()


def _peek(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes of a file, and all of its pieces."""
    taken: list[bytes] = []
    while sum(map(len, taken)) < HEAD and (piece := next(pieces, None)) is not None:
        taken += [piece] if piece else []
    return b"".join(taken)[:HEAD], chain(taken, pieces)


def _give(pieces: Iterable[bytes], consume: Callable[[bytes], None]) -> None:
    for piece in pieces:
        consume(piece)


def _give_beside(pieces: Iterable[bytes], consume: Callable[[bytes], None]) -> None:
    """Give pieces to a consumer in a thread, while the next ones are being made: both let go of Python's lock."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (few wheels need its import)

    with ThreadPoolExecutor(1) as thread:
        given: Future[None] | None = None
        for batch in _batches(pieces):
            if given is not None:
                given.result()
            given = thread.submit(_give, batch, consume)
        if given is not None:
            given.result()


def _batches(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield some pieces at once, since handing over to a thread has a price."""
    remaining = iter(pieces)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _same(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except ValueError:  # not only InvalidVersion: of many digits Python makes no number
        return False


def _requirement(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except (InvalidRequirement, RecursionError):
        return None


def _spell(requirement: Requirement) -> set[str]:
    """Return the name of a requirement (PEP 503), alone and with each of its extras (PEP 685)."""
    name = canonicalize_name(requirement.name)
    return {name, *(f"{name}[{canonicalize_name(extra)}]" for extra in requirement.extras)}


def _expanded(tags: Iterable[str]) -> set[str]:
    """Return the tags that some with dots stand for; none if they stand for more than anybody wants."""
    parts = [[part.split(".") for part in tag.lower().split("-")] for tag in tags]
    if sum(math.prod(map(len, tag)) for tag in parts) > _MOST_TAGS:
        return set()
    return {"-".join(one) for tag in parts for one in product(*tag)}
