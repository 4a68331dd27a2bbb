"""macOS wheels: their tags from their load commands, on any host; libraries are grafted by delocate."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..binaries.signature import signature_problem
from ..contract.minimum_platform import find_floor
from ..errors import RefusedError
from ..platforms.systems import MACOS, base_name, macos_of_tag
from ..platforms.tags import FIRST_ARM64_MACOS, UNIVERSAL2, PlatformTag, parse_tags, tag_pattern
from .apple_tools.stand_ins import stand_ins
from .plan import Plan, refuse_foreign_libraries
from .tools import require_tool, run_tool, source_date, stored_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..binaries import Image
    from ..contract.minimum_platform import Floor
    from ..wheels.libraries import WheelLibraries
    from .plan import Request

__all__ = ["MacosRepairer"]

_OLDEST = {"arm64": FIRST_ARM64_MACOS, "x86_64": (10, 9), "universal2": (10, 9)}


class MacosRepairer:
    """Repairs macOS wheels."""

    def plan(self, contents: WheelLibraries, request: Request) -> Plan:
        """Read tag and needs off the load commands; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        refuse_foreign_libraries(contents)
        architecture = _architecture(contents)
        _refuse_wrong_signatures(contents)
        floors = _find_floors(contents, architecture)
        systems = [_oldest_system(image, architecture) for _, image in _list_images(contents)]
        lowest = max([_OLDEST[architecture], *systems, *(floor.version or (0, 0) for floor in floors)])
        tag = _spell_tag(lowest, architecture)
        if request.platform_tag is not None:
            wanted = _parse_requested_tag(request.platform_tag, architecture)
            if wanted < max(floor.version or (0, 0) for floor in floors):
                raise RefusedError(
                    f"{contents.wheel.path.name} cannot be {request.platform_tag}: {floors[0].requirement}, which it "
                    f"needs, has wheels from {_spell_tag(lowest, architecture)} on"
                )
            if wanted < lowest:
                newest = max(_list_images(contents), key=lambda pair: _oldest_system(pair[1], architecture))
                raise RefusedError(
                    f"{contents.wheel.path.name} cannot be {request.platform_tag}: {newest[0]} is built for macOS "
                    f"{newest[1].minimum_os}",
                    "set MACOSX_DEPLOYMENT_TARGET and build it again",
                )
            tag = _spell_tag(wanted, architecture)
        outside = [name for name in contents.needed() if not MACOS.has(name) and not MACOS.is_runtime(name)]
        excluded = tuple(sorted(name for name in outside if request.excludes.match(name)))
        grafts = tuple(sorted(set(outside).difference(excluded)))
        warnings = [*_find_warnings(contents), *(line for floor in floors for line in floor.warnings("this macOS"))]
        return Plan((tag,), grafts, excluded, tuple(dict.fromkeys(warnings)))

    def graft(self, contents: WheelLibraries, request: Request, folder: Path) -> None:
        """Run ``delocate-wheel``; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        if request.strip:
            raise RefusedError("delocate strips nothing", "strip the library in its build: cmake --install --strip")
        require_tool("delocate", "0.13", "does not sign what it changes")
        environment = source_date(contents)
        if sys.platform != "darwin":
            environment["PATH"] = stand_ins(folder.with_name("programs"))
        before = os.environ.get("DYLD_LIBRARY_PATH", "")
        environment["DYLD_LIBRARY_PATH"] = ":".join([*map(str, request.library_paths), *([before] if before else [])])
        command = [sys.executable, "-m", "delocate.cmd.delocate_wheel", "--wheel-dir", str(folder)]
        # The runtime's library is not there, and is not to be; what else is not there is noticed afterwards. What is
        # excluded is part of a path here and no pattern: names, for which the patterns have been looked up.
        command.append("--ignore-missing-dependencies")
        outside = [name for name in contents.needed() if MACOS.is_runtime(name) or request.excludes.match(name)]
        for name in sorted({MACOS.library, *(name.rpartition("/")[2] for name in outside)}):
            command += ["--exclude", name]
        run_tool([*command, str(stored_wheel(contents))], folder, environment)


def _list_images(contents: WheelLibraries) -> Iterator[tuple[str, Image]]:
    for name, binary in contents.binaries.items():
        for image in binary.images:
            yield name, image


def _architecture(contents: WheelLibraries) -> str:
    """Return the architecture that all libraries are for."""
    kinds = {frozenset(image.architecture for image in binary.images) for binary in contents.binaries.values()}
    shared = frozenset.intersection(*kinds)
    if shared.issuperset(UNIVERSAL2):
        return "universal2"
    named = [tag.architecture for tag in parse_tags(contents.wheel.platforms) if tag.family == "macosx"]
    for architecture in sorted(shared.intersection(UNIVERSAL2), key=lambda one: one not in named):
        return architecture
    held = ", ".join(sorted({image.architecture for _, image in _list_images(contents)}))
    raise RefusedError(f"{contents.wheel.path.name} holds libraries for {held}, which no macOS runs all of")


def _find_floors(contents: WheelLibraries, architecture: str) -> list[Floor]:
    parts = UNIVERSAL2 if architecture == "universal2" else [architecture]
    floors = [find_floor(contents.wheel.runtime_bounds(), tag_pattern("macosx", part)) for part in parts]
    return [
        floor._replace(version=floor.version and _system_in_tag(floor.version, part, architecture))
        for part, floor in zip(parts, floors)
    ]


def _system_in_tag(version: tuple[int, int], part: str, architecture: str) -> tuple[int, int]:
    """Return what a tag has to say of the macOS that one architecture needs.

    That of a universal library says nothing of the first macOS for Apple's own processors: none of them runs less.
    """
    return (0, 0) if (part, architecture) == ("arm64", "universal2") and version <= _OLDEST[part] else version


def _refuse_wrong_signatures(contents: WheelLibraries) -> None:
    for name, path in contents.paths.items():
        problem = signature_problem(path, contents.binaries[name])
        if problem:
            raise RefusedError(
                f"{contents.wheel.path.name} holds {name}, so macOS kills any process that loads it: {problem}",
                f"sign it with: codesign --force --sign - {base_name(name)}, as the last step of its build",
            )


def _oldest_system(image: Image, architecture: str) -> tuple[int, int]:
    return _system_in_tag(macos_of_tag(image.minimum_os), image.architecture, architecture)


def _spell_tag(version: tuple[int, int], architecture: str) -> str:
    return str(PlatformTag("macosx", version, architecture))


def _parse_requested_tag(tag: str, architecture: str) -> tuple[int, int]:
    wanted = PlatformTag.parse(tag)
    if wanted is None or wanted.version is None or (wanted.family, wanted.architecture) != ("macosx", architecture):
        raise RefusedError(f"{tag} is not meant: this wheel's libraries are for macOS on {architecture}")
    return wanted.version


def _find_warnings(contents: WheelLibraries) -> Iterator[str]:
    for name, image in _list_images(contents):
        for needed in image.libraries:
            if MACOS.is_runtime(needed) and needed != f"@rpath/{MACOS.library}":
                yield f"{name} asks for {needed}, which only this machine has; link tvm_ffi::shared"
