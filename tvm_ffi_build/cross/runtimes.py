"""The runtime of another platform: its own wheel from the index, checked, unpacked, and kept for the next build."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING

from ..binaries import read_binary
from ..contract import read_ledger
from ..contract.releases.published_files import published_digest
from ..errors import MissingToolError, PlatformError, UnsupportedRuntimeError, WheelError
from ..host.programs import python_command, require_extra
from ..host.regular_files import read_regular
from ..host.run import run_program
from ..host.unfinished import move_into_place, temporary_folder, unfinished_folder, write_errors
from ..platforms.systems import LINUX, MACOS
from ..platforms.tags import fill_version, oldest_system
from ..runtime import DISTRIBUTION, find_runtime
from ..wheels import open_wheel
from .cache_contents import discard, is_intact, record_contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ..runtime import Runtime
    from ..wheels import Wheel
    from .targets import Target

__all__ = ["PYTHON", "available_platforms", "cache_dir", "fetch_runtime", "lowest_version", "require_available"]

# The Python whose wheel is taken: all carry the same library and headers.
PYTHON = "3.12"
# Newer than any that there is. pip takes a macOS for all older ones, of manylinux it wants each named.
_NEWEST_GLIBC, _NEWEST_MACOS = 60, 99
_REMEDY = "set XDG_CACHE_HOME to another directory"
# Bytes: more than any wheel of the runtime.
_LARGEST = 1 << 30


def cache_dir() -> Path:
    """Return the folder in which this package keeps what it can make again.

    Raises:
        MissingToolError: The extra that knows where such folders are is not installed.

    """
    require_extra("platformdirs", "cross")
    import platformdirs  # noqa: PLC0415  (an extra)

    return platformdirs.user_cache_path("tvm-ffi-build")


def available_platforms(version: str) -> Mapping[str, tuple[int, int] | None]:
    """Return the platforms for which a release of the runtime has wheels: families of tags, and their oldest system.

    A release that is newer than the ledger has what the newest in it has, as far as anybody knows.
    """
    ledger = read_ledger()
    known = version if version in ledger.releases else ledger.releases[-1]
    found: dict[str, tuple[int, int] | None] = {}
    for family, tags in ledger.platforms.items():
        for tag, releases in tags.items():
            if known in releases:
                found[family] = oldest_system([tag])
    return found


def lowest_version(family: str, version: str) -> tuple[int, int] | None:
    """Return the oldest system of a family that a release of the runtime has a wheel for."""
    return available_platforms(version).get(family)


def require_available(target: Target, version: str) -> None:
    """Check, before anything is fetched, that a release of the runtime has a wheel for a platform.

    Raises:
        PlatformError: It has none, as far as the ledger knows, or one for newer systems alone.

    """
    there = available_platforms(version)
    if target.family not in there:
        ledger = read_ledger()
        others = ledger.platforms.get(target.family, {})
        releases = [name for name in ledger.releases if any(name in some for some in others.values())]
        if releases:
            raise PlatformError(
                f"{target.tag}: {DISTRIBUTION} {version} has no wheel for it",
                f"{releases[-1]} has: add --runtime-version {releases[-1]}",
            )
        raise PlatformError(
            f"{target.tag}: no release of {DISTRIBUTION} has a wheel for it, so the result could not be installed",
            f"{version} has wheels for {', '.join(_list_tags(there))}",
        )
    _require_floor(target, version, there[target.family])


def fetch_runtime(
    target: Target,
    version: str,
    cache: Path,
    find_links: Path | None = None,
    on_note: Callable[[str], None] = lambda _: None,
) -> Runtime:
    """Return a release of the runtime for a platform, from the cache or else from its wheel.

    Args:
        target: The platform.
        version: The release.
        cache: The folder of :func:`cache_dir`.
        find_links: A folder with wheels to take it from, instead of the index.
        on_note: Is called with a line about what is made again because the cache is damaged.

    Raises:
        PlatformError: There is no such wheel, or it is for newer systems alone.
        WheelError: The wheel is damaged, or not what it is called.
        MissingToolError: pip is not installed.
        OutputError: The cache cannot be written.
        UnsupportedRuntimeError: The release is too old to build against.

    """
    inside = cache / "runtimes"
    # Under names that say all there is to know, so that one is never taken for another.
    folder = inside / f"{version}-{target.family.replace('*_', '')}"
    if find_links is not None or not is_intact(folder):
        with temporary_folder() as downloads:
            wheel = _download_wheel(target, version, downloads, find_links)
            digest = _hash_wheel(wheel)
            if find_links is not None:
                folder = folder.with_name(f"{folder.name}-{digest[:16]}")
            else:
                _require_published(wheel.name, digest)
            if not is_intact(folder):
                _discard_damaged(folder, on_note)
                _unpack_wheel(wheel, target, version, folder)
    runtime = find_runtime(folder)
    runtime.require_supported()
    _require_matching(runtime, target, version)
    floor = oldest_system((folder / "platforms").read_text(encoding="utf-8").split())
    _require_floor(target, version, floor)
    return runtime


def _download_wheel(target: Target, version: str, folder: Path, find_links: Path | None) -> Path:
    """Let pip choose and fetch the wheel."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", "--retries", "2"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON, "--dest", str(folder)]
    command += [word for tag in _accepted_tags(target) for word in ("--platform", tag)]
    if find_links is not None:
        command += ["--no-index", "--find-links", str(find_links.absolute())]
    # In a folder without modules that could be taken for pip's.
    env = {**os.environ, "PIP_PROGRESS_BAR": "off"}
    done = run_program([*command, f"{DISTRIBUTION}=={version}"], cwd=folder, env=env)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    if "No module named pip" in done.stderr:
        raise MissingToolError(f"pip is not installed in {sys.executable}", command=f"{python_command()} -m ensurepip")
    what = f"{DISTRIBUTION} {version} for {target.tag}"
    if find_links is not None and "No matching distribution" in done.stderr:
        raise PlatformError(f"{find_links} holds no wheel of {what}", "put one there, fetched with: pip download")
    said = [line.strip() for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    if any(word in done.stderr for word in ("NewConnectionError", "Connection", "Retrying", "timed out", "resolve")):
        raise PlatformError(
            f"{what} is not in the cache, and the package index cannot be reached",
            "pass a directory with its wheel: --find-links",
        )
    reason = said[-1].removeprefix("ERROR: ") if said else f"exit code {done.returncode}"
    if reason == "Exception:":  # of which a traceback follows
        reason = done.stderr.split("\n")[-2].strip()
    raise PlatformError(f"{what} cannot be fetched: {reason}", "choose another release with --runtime-version")


def _accepted_tags(target: Target) -> Iterator[str]:
    """Yield the tags that a wheel of the runtime may have, that for the oldest system first, as pip is to prefer it.

    Of newer systems too, so that it can be said which; so all platforms of a family share a runtime.
    """
    if target.system == LINUX:
        for minor in range(5, _NEWEST_GLIBC):
            yield fill_version(target.family, (2, minor))
    elif target.system == MACOS:
        yield fill_version(target.family, (_NEWEST_MACOS, 0))
    else:
        yield target.tag


def _hash_wheel(path: Path) -> str:
    try:
        return hashlib.sha256(read_regular(path, largest=_LARGEST)).hexdigest()
    except OSError as error:
        raise WheelError(f"{path.name} cannot be read: {error.strerror}") from None


def _require_published(name: str, digest: str) -> None:
    """Check that a wheel that was downloaded is the one that was published, if the ledger knows it."""
    published = published_digest(name)
    if published not in {None, digest}:
        raise WheelError(
            f"{name} from your package index has the SHA-256 {digest}, and was published with {published}",
            "check your package index (pip config list), or name the directory of a trusted file with --find-links",
        )


def _discard_damaged(folder: Path, on_note: Callable[[str], None]) -> None:
    """Remove a runtime from the cache that is not what was put there."""
    if os.path.lexists(folder):
        on_note(f"{folder} was damaged, so it is made again")
        with write_errors(folder, _REMEDY):
            discard(folder)


def _unpack_wheel(path: Path, target: Target, version: str, folder: Path) -> None:
    """Unpack a wheel beside its place and put it there when it is whole."""
    with open_wheel(path) as wheel, unfinished_folder(folder.parent, _REMEDY) as unfinished:
        _require_named(wheel, version)
        made = unfinished / "unpacked"
        made.mkdir()
        wheel.verify(made, lambda *_: True)
        (made / "platforms").write_text("\n".join(wheel.platforms), encoding="utf-8")
        _require_matching(find_runtime(made), target, version)
        record_contents(made)
        move_into_place(made, folder)


def _require_named(wheel: Wheel, version: str) -> None:
    if not wheel.is_runtime or str(wheel.version) != version:
        raise WheelError(
            f"{wheel.path.name} is not {DISTRIBUTION} {version}, which was asked for", "look at your index"
        )


def _require_matching(runtime: Runtime, target: Target, version: str) -> None:
    """Check that a library is for the platform that it was fetched for, whatever its wheel was called."""
    architectures = {image.architecture for image in read_binary(runtime.library).images}
    if runtime.version != version:
        raise UnsupportedRuntimeError(
            f"{runtime.package.parent} holds {DISTRIBUTION} {runtime.version} and not {version}", "delete it"
        )
    if runtime.platform != target.system or target.architecture not in architectures:
        raise WheelError(
            f"{runtime.library} is for {runtime.platform.name} on {', '.join(sorted(architectures))}, and was fetched "
            f"for {target.tag}",
            f"delete {runtime.package.parent}",
        )


def _require_floor(target: Target, version: str, floor: tuple[int, int] | None) -> None:
    """Check that the runtime runs on the oldest system that is built for."""
    if target.version is None or floor is None or floor <= target.version:
        return
    tag = fill_version(target.family, floor)
    raise PlatformError(
        f"{target.tag}: the wheels of {DISTRIBUTION} {version} are for {tag} and newer, so the result could "
        "not be installed",
        f"write {tag}{_suggest_older_release(target)}",
    )


def _suggest_older_release(target: Target) -> str:
    """Return the option that gives a runtime for such an old system, if there is one."""
    ledger = read_ledger()
    for release in reversed(ledger.releases):
        lowest = lowest_version(target.family, release)
        if release not in ledger.yanked and lowest and target.version and lowest <= target.version:
            return f", or add --runtime-version {release}"
    return ""


def _list_tags(families: Mapping[str, tuple[int, int] | None]) -> list[str]:
    return [fill_version(family, floor) for family, floor in families.items()]
