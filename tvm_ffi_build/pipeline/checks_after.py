"""What came of a build: whether the wheel is what its tag and its requirement say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..binaries import read_binary
from ..binaries.python_calls import require_agnostic
from ..contract import read_ledger
from ..contract.assess import assess_wheel
from ..contract.releases.spans import as_span
from ..errors import BuildError
from ..host.unfinished import OTHER_TEMPORARY, write_errors
from ..platforms.systems import LINUX
from ..wheels import open_wheel
from ..wheels.libraries import platform_of, read_contents

if TYPE_CHECKING:
    from pathlib import Path

    from ..contract import Ledger
    from ..contract.assess import Assessment
    from ..cross.targets import Target
    from ..pyproject.build_system import Project
    from ..terminal.output import Output

__all__ = ["check_built", "tag_of"]

# With the version that a library's name may end in on Linux.
_LIBRARY = re.compile(r"\.(so(\.\d+)*|dylib|dll|pyd)$")

# What other build backends build a library with, by a part of their names.
_CMAKE_SUPPORT = {
    "hatchling": 'hatchling runs CMake with "scikit-build-core[hatchling]" in build-system.requires and a table '
    "[tool.hatch.build.targets.wheel.hooks.scikit-build]",
    "setuptools": 'setuptools runs CMake with "scikit-build-core[wheel-free-setuptools]" in build-system.requires and '
    'setup(cmake_source_dir=".")',
    "mesonpy": "meson.build has no shared_library(..., install: true)",
}


def check_built(
    wheel: Path, project: Project, folder: Path, output: Output, target: Target | None = None, *, repaired: bool = True
) -> None:
    """Check what a build has made, before anybody else gets it.

    Args:
        wheel: The wheel.
        project: What it was built from.
        folder: A new one, for what is unpacked.
        output: Where warnings go.
        target: The platform that it was to be built for, or None for this machine.
        repaired: Whether it is going to be repaired.

    Raises:
        BuildError: It holds no library, is for another platform, claims all, or admits a runtime that it fails on.
        AgnosticError: It is tagged for any Python 3, and a library in it calls into CPython.

    """
    libraries = _libraries(wheel, folder / "libraries")
    _check_tag(wheel, libraries)
    if target is not None:
        _check_platform(wheel, libraries, target, project, repaired=repaired)
    if project.uses_this_plugin and not libraries:
        _require_library(project, wheel)
        output.step("warning: the wheel holds no library; install(TARGETS ...) puts one in")
    _check_requirement(wheel, folder / "contents", project)


def _libraries(wheel: Path, folder: Path) -> list[Path]:
    """Unpack the libraries of a wheel into a folder."""
    with open_wheel(wheel) as opened, write_errors(folder.parent, OTHER_TEMPORARY):
        folder.mkdir(parents=True)
        return list(opened.verify(folder, lambda name: bool(_LIBRARY.search(name))).values())


def _require_library(project: Project, wheel: Path) -> None:
    """Check that a backend which builds no library by itself was told to; scikit-build-core always does."""
    for backend, remedy in _CMAKE_SUPPORT.items():
        if backend in (project.backend or ""):
            raise BuildError(f"{wheel.name} holds no library: {remedy}")


def _check_tag(wheel: Path, libraries: list[Path]) -> None:
    """Check that a wheel's tag is true of the libraries in it.

    CMake has checked those that it was told of, by the tag that was to be expected; here are all, and the tag itself.
    """
    tag = tag_of(wheel)
    if libraries and tag.endswith("-any"):
        raise BuildError(f"{wheel.name} holds a library but claims every platform", "set wheel.platlib = true")
    if tag.startswith("py3-none-"):
        for library in libraries:
            require_agnostic(library)


def _check_platform(wheel: Path, libraries: list[Path], target: Target, project: Project, *, repaired: bool) -> None:
    """Check that a wheel is for the platform that was asked for, since not every build backend can be told of it.

    The libraries decide: a tag is this machine's with some backends that compile for the other, and the other's where
    _PYTHON_HOST_PLATFORM is set, with some that do not.
    """
    held = {image.architecture for library in libraries for image in read_binary(library).images}
    if held and target.architecture not in held:
        raise BuildError(
            f"{wheel.name} holds libraries for {', '.join(sorted(held))} and not for {target.tag}: {project.backend} "
            "builds for this machine alone",
            "build it on that platform, or without --platform",
        )
    # The repair finds the right tag among those of a system.
    tagged = set(tag_of(wheel).rpartition("-")[2].split(".")) <= {target.built_tag, target.tag}
    if not tagged and not (repaired and target.system == LINUX):
        remedy = ", or without --no-repair" if target.system == LINUX else ""
        raise BuildError(
            f"{wheel.name} is for {target.tag}, and {project.backend} has tagged it for another platform",
            f"build it on that platform{remedy}",
        )


def _check_requirement(wheel: Path, folder: Path, project: Project) -> None:
    """Check that a wheel admits no runtime that its libraries and Python files are known to fail on.

    What it requires was written before anything was compiled.
    """
    ledger = read_ledger()
    with open_wheel(wheel) as opened:
        platform = platform_of(opened)
        if platform is None:
            return
        folder.mkdir(parents=True)
        contents = read_contents(opened, platform, folder)
        found = assess_wheel(contents, ledger)
    failing = found.too_wide(ledger)
    if failing:
        reason = found.failures(failing[0], ledger)[0]
        if found.range.floor is None:
            raise BuildError(
                f"{wheel.name} works with no known release of apache-tvm-ffi ({_of_all(found, ledger) or reason})",
                "build it against one that has what it needs",
            )
        remedy = f'requires = "{found.range}" in [tool.tvm-ffi-build.runtime]'
        if not (project.uses_provider or project.uses_setuptools):
            remedy = f'"apache-tvm-ffi{found.range}" in dependencies of [project]'
        raise BuildError(
            f"{wheel.name} requires apache-tvm-ffi{found.declared}, and fails on {as_span(failing, ledger.releases)} "
            f"({reason})",
            f"write {remedy}",
        )


def _of_all(found: Assessment, ledger: Ledger) -> str:
    """Return what is in the way of every release, if it is one symbol that none has."""
    needed = sorted({symbol for needs in found.needs for symbol in needs.symbols} - ledger.symbols.keys())
    return f"none has {needed[0]}" if needed else ""


def tag_of(wheel: Path) -> str:
    """Return the compatibility tag of a wheel's name."""
    # {name}-{version}(-{build})?-{python}-{abi}-{platform}.whl, where no part holds a hyphen.
    return "-".join(wheel.stem.split("-")[-3:])
