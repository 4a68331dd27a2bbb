"""From the words of a command line to the platforms that are meant, each checked before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import PlatformError
from ..platforms.systems import LINUX, MACOS, WINDOWS
from ..platforms.tags import fill_version
from ..runtime import OLDEST_SUPPORTED
from .runtimes import available_platforms, require_available
from .targets import ALL, NATIVE, Target, parse_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["PlatformChoice", "choose_platforms", "parse_release"]


class PlatformChoice(NamedTuple):
    """What is to be built.

    Attributes:
        platforms: In the order that was asked for, each once; None is this machine with its own compiler.
        version: The release of the runtime that all are built against.

    """

    platforms: tuple[Target | None, ...]
    version: str

    @property
    def leader(self) -> Target | None:
        """What is built first, since it can be loaded here: one of the platforms if it can, else this machine."""
        return next((target for target in self.platforms if target is not None and target.runs_here), None)


def choose_platforms(
    words: Iterable[str],
    version: str,
    manylinux: tuple[int, int] | None = None,
    macos: tuple[int, int] | None = None,
) -> PlatformChoice:
    """Return what is meant by platform tags and the words ``all`` and ``native``.

    Args:
        words: Those.
        version: The release of the runtime to build against, in any spelling.
        manylinux: The glibc of those that ``all`` stands for; by default the runtime's own.
        macos: The same for macOS.

    Raises:
        PlatformError: One is no platform, the runtime has no wheel for it, or one for newer systems alone.

    """
    version = parse_release(version)
    platforms: dict[Target | None, None] = {}
    for word in words:
        for target in _expand_word(word, version, manylinux, macos):
            if target is not None:
                require_available(target, version)
            platforms[target] = None
    return PlatformChoice(tuple(platforms), version)


def parse_release(version: str) -> str:
    """Return a release of the runtime as the ledger and the index spell it.

    >>> parse_release("v0.1.12"), parse_release("0.1.8-post0")
    ('0.1.12', '0.1.8.post0')

    Raises:
        PlatformError: It is not a version, or too old to build against.

    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415  (plain builds need none)

    try:
        release = Version(version)
    except (InvalidVersion, ValueError):  # a number of more digits than Python converts
        raise PlatformError(
            f"--runtime-version {version[:40]!r} is not a version", "write one such as 0.1.12"
        ) from None
    if release < Version(OLDEST_SUPPORTED):
        raise PlatformError(
            f"apache-tvm-ffi {version} is too old to build against", f"name {OLDEST_SUPPORTED} or newer"
        )
    return str(release)


def _expand_word(
    word: str, version: str, manylinux: tuple[int, int] | None, macos: tuple[int, int] | None
) -> Iterator[Target | None]:
    if word == NATIVE:
        yield None
    elif word == ALL:
        for family, lowest in sorted(
            available_platforms(version).items(), key=lambda row: not _target_for(row[0], row[1]).runs_here
        ):
            target = _target_for(family, lowest)
            asked = {LINUX: manylinux, MACOS: macos, WINDOWS: None}[target.system]
            yield Target(target.system, target.architecture, asked or target.version)
    else:
        yield parse_target(word)


def _target_for(family: str, version: tuple[int, int] | None) -> Target:
    return parse_target(fill_version(family, version))
