"""All that the ledger says of one release: a set of facts, each a path of words, such as a table, a name and a size."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exports import c_symbols, cxx_symbols, leaked_symbols
from layouts import read_layouts
from releases import runtime_folder
from sites import throw_sites

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releases import Release

__all__ = ["Fact", "facts_of"]

Fact = tuple[str, ...]

_HERE = Path(__file__).parent


class DisagreementError(Exception):
    """What the ledger takes for the same on all platforms is not."""


def facts_of(release: Release, work: Path) -> set[Fact]:
    """Return the facts about a release, from its wheels or as they were read from them before.

    Raises:
        DisagreementError: The C symbols are not the same on all platforms.

    """
    facts: set[Fact] = {("platforms", platform, lowest) for platform, lowest in _platforms(release)}
    facts |= {("pythons", tag) for tag in release.pythons}
    if release.yanked:
        facts.add(("status", "yanked"))
    cache = work / release.version / f"facts-{_digest()}.json"
    if not cache.exists():
        unfinished = cache.with_suffix(".unfinished")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(sorted(set(_derived(release, work)))), encoding="utf-8")
        unfinished.rename(cache)
    return facts | {tuple(fact) for fact in json.loads(cache.read_text(encoding="utf-8"))}


def _digest() -> str:
    """Return a number of the programs that read the releases: other programs, other facts."""
    programs = ("exports", "facts", "layouts", "probe", "python_names", "registry", "releases", "sites")
    sources = (_HERE / f"{name}.py" for name in programs)
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def _platforms(release: Release) -> Iterator[tuple[str, str]]:
    """Yield each platform that there are wheels for, and the lowest of their tags."""
    tags: dict[str, list[tuple[int, int]]] = {}
    for platform in release.platforms:
        for tag in platform.split("."):
            found = re.fullmatch(r"(manylinux|macosx)_(\d+)_(\d+)_(\w+)", tag)
            if found:
                tags.setdefault(f"{found[1]}_*_{found[4]}", []).append((int(found[2]), int(found[3])))
            elif tag.startswith("win"):
                yield tag, tag
    for pattern, versions in tags.items():
        yield pattern, pattern.replace("*", "{}_{}".format(*min(versions)))


def _derived(release: Release, work: Path) -> Iterator[Fact]:
    runtimes = {platform: runtime_folder(release.version, platform, work) for platform in release.platforms}
    libraries = {platform: find_runtime(folder).library for platform, folder in runtimes.items()}
    linux = [library for platform, library in libraries.items() if platform.startswith("manylinux")]

    names = c_symbols(linux[0])
    for platform, library in libraries.items():
        if c_symbols(library) != names:
            raise DisagreementError(f"{release.version}: {platform} has other C symbols than {release.platforms[1]}")
    yield from (("c_symbols", name) for name in names)
    # Names are mangled in another way on Windows, and macOS lacks a few that no extension asks for.
    cxx = {name for library in linux for name in cxx_symbols(library)}
    yield from (("cxx_symbols", name) for name in cxx)
    yield from (("leaked", name) for library in linux for name in leaked_symbols(library))

    folder = runtimes[release.host]
    for table, found in _ask("registry.py", folder).items():
        yield from ((table, name) for name in found)
    for module, found in _ask("python_names.py", folder).items():
        yield from (("python", module, name) for name in [*found, "__name__"])
        for name, parameters in found.items():
            yield from (("parameters", f"{module}.{name}", parameter) for parameter in parameters)

    include = find_runtime(folder).include_dir
    for header, lines in throw_sites(include / "tvm" / "ffi").items():
        yield "lines", header, " ".join(map(str, lines))
    for table, sizes in vars(read_layouts(include, cxx)).items():
        yield from ((table, name, size) for name, size in sizes.items())


def _ask(program: str, folder: Path) -> dict[str, Any]:
    """Run one of the programs that import a release, and return what it printed."""
    done = subprocess.run([sys.executable, _HERE / program, folder], check=True, stdout=subprocess.PIPE)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
