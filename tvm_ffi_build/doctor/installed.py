"""Looks at the distributions of this Python: this one, the runtime, and what is installed twice or out of step."""

from __future__ import annotations

import os
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from .. import __version__
from ..contract import read_ledger
from ..errors import RuntimeNotFoundError, TvmFfiBuildError
from ..host.regular_files import read_regular
from ..plugin import HAS_CONFIG_ENTRY_POINT, providers_are_off
from ..runtime import DISTRIBUTION, ENVIRONMENT_VARIABLE, find_runtime
from ..wheels.markers import runtime_requirements, this_environment
from .check import FAIL, OK, PIP, WARN, Check, ask_program
from .runtime_wheels import check_runtime_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import SpecifierSet

    from ..runtime import Runtime

__all__ = ["check_commands", "check_doubles", "check_extensions", "check_python", "check_runtime", "check_self"]

_SELF = "tvm-ffi-build"
# A module, and the distribution that has it.
_MODULES = {"tvm_ffi": DISTRIBUTION, "tvm_ffi_build": _SELF}
# What an import answers: the version and the file, behind whatever else it prints.
_MARK = "tvm-ffi-build-doctor:"
_IMPORT = f"import tvm_ffi; print({_MARK!r}, tvm_ffi.__version__, tvm_ffi.__file__, sep='\\n')"


def check_python() -> Iterator[Check]:
    """Look at the Python that is running."""
    version = sys.version.split()[0]
    # Of a build for free threading.
    threads = ", free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    text = f"{sys.implementation.name} {version}{threads}, {sys.executable}"
    if HAS_CONFIG_ENTRY_POINT:
        yield Check("python", OK, text)
    else:
        yield Check(
            "python",
            WARN,
            f"{text}: below 3.11 a build with pip does without this package's defaults",
            "build with: tvm-ffi-build wheel",
        )


def check_self() -> Iterator[Check]:
    """Look at this package, and at what switches parts of it off."""
    try:
        distribution = metadata.distribution(_SELF)
    except metadata.PackageNotFoundError:
        yield Check(
            _SELF, WARN, f"{__version__} is run from {Path(__file__).parents[2]} and not installed", f"{PIP} {_SELF}"
        )
    else:
        yield Check(_SELF, OK, f"{distribution.version} in {Path(__file__).parents[1]}")
    if providers_are_off(os.environ):
        yield Check(
            _SELF, WARN, "SKBUILD_NO_ENTRYPOINT_CONFIG is set, so builds do without its defaults", "unset the variable"
        )


def check_runtime() -> Iterator[Check]:
    """Look at the runtime: whole, known, not yanked, and what this Python imports."""
    try:
        runtime = find_runtime()
        runtime.require_supported()
    except TvmFfiBuildError as error:
        named = os.environ.get(ENVIRONMENT_VARIABLE)
        missing = isinstance(error, RuntimeNotFoundError) and not named
        note = "; isolated builds bring their own" if missing else ""
        yield Check("runtime", WARN if missing else FAIL, f"{error.what}{note}", error.command or error.remedy)
        if missing:
            yield from check_runtime_wheels(None)
        return
    yield _look_up_release(runtime)
    yield from check_runtime_wheels(runtime.version)
    if ENVIRONMENT_VARIABLE not in os.environ:
        yield _check_import(runtime)


def _look_up_release(runtime: Runtime) -> Check:
    """Look up a runtime among the releases."""
    ledger = read_ledger()
    text = f"{DISTRIBUTION} {runtime.version} for {runtime.platform.name} in {runtime.package}"
    if runtime.version in ledger.yanked:
        newest = next(release for release in reversed(ledger.releases) if release not in ledger.yanked)
        return Check("runtime", WARN, f"{text} was yanked", f"{PIP} {DISTRIBUTION}=={newest}")
    if runtime.version not in ledger.releases:
        return Check("runtime", OK, f"{text}, which this {_SELF} does not know", f"{PIP} --upgrade {_SELF}")
    return Check("runtime", OK, text)


def _check_import(runtime: Runtime) -> Check:
    """Import the module, in a process of its own, and compare it with what is to be built against."""
    # Without the folder that this runs in, which "-c" puts on the path.
    answer = ask_program([sys.executable, "-c", f"import sys; sys.path[:] = filter(None, sys.path); {_IMPORT}"])
    repair = f"{PIP} --force-reinstall {DISTRIBUTION}"
    if not answer.works or _MARK not in answer.lines:
        said = answer.lines[-1] if answer.lines else "no word of why"
        return Check("tvm_ffi", FAIL, f"cannot be imported: {said}", repair)
    version, file = answer.lines[answer.lines.index(_MARK) + 1 :][:2]
    if Path(file).resolve().parent != runtime.package:
        return Check("tvm_ffi", WARN, f"{file} is imported, and builds use {runtime.package}", "remove one of them")
    if not _is_same_version(version, runtime.version):
        return Check("tvm_ffi", FAIL, f"reports version {version}, but its metadata {runtime.version}", repair)
    return Check("tvm_ffi", OK, f"{version} can be imported")


def _is_same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def check_doubles() -> Iterator[Check]:
    """Look for what is there twice, and for what an interrupted pip has left."""
    for module, distribution in _MODULES.items():
        found: dict[Path, None] = {}
        for entry in map(Path, filter(None, sys.path)):
            # What may not be entered is passed over, as Python does.
            if os.access(entry / module / "__init__.py", os.R_OK):
                found[(entry / module).resolve()] = None
            stem = distribution.replace("-", "_")
            for left in sorted(entry.glob(f"~{stem[1:]}*")) if os.access(entry, os.R_OK | os.X_OK) else ():
                yield Check(distribution, WARN, f"{left} is what an interrupted pip has left", f"delete {left}")
        first, *others = found or [Path()]
        for other in others:
            message = f"{other} is there too, and {first} is what is imported"
            yield Check(
                distribution, WARN, message, f"delete one of them, or remove its directory from {_name_source(other)}"
            )


def _name_source(package: Path) -> str:
    on_variable = str(package.parent) in os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return "PYTHONPATH" if on_variable else "sys.path"


def check_commands(found: str | None) -> Iterator[Check]:
    """Look at whose ``tvm-ffi-config`` is on PATH, which two distributions install.

    Args:
        found: Where it is, if anywhere.

    """
    name = "tvm-ffi-config"
    if found is None:
        yield Check(name, OK, "is not on PATH; tvm-ffi-build config answers the same")
        return
    try:
        content = read_regular(found)
    except OSError as error:
        yield Check(name, WARN, f"{found} cannot be read: {error.strerror}", "remove it, or reinstall its distribution")
        return
    owner = _SELF if b"tvm_ffi_build" in content else DISTRIBUTION if b"tvm_ffi" in content else "another package"
    other = DISTRIBUTION if owner == _SELF else _SELF
    again = f"the other one: {PIP} --force-reinstall --no-deps {other}"
    # pipx and "uv tool" put a link to it on PATH.
    folders = {Path(found).parent.resolve(), Path(found).resolve().parent}
    if Path(sysconfig.get_path("scripts")).resolve() not in folders:
        yield Check(name, WARN, f"{found} belongs to {owner} in another environment than {sys.prefix}", again)
    else:
        yield Check(name, OK, f"{found} belongs to {owner}", again)


def check_extensions() -> Iterator[Check]:
    """Look at the installed distributions that require a runtime: whether it is the one that is there."""
    try:
        version = find_runtime().version
    except TvmFfiBuildError:
        return
    for distribution in metadata.distributions():
        name = canonicalize_name(distribution.metadata["Name"] or "?")
        for bounds in _parse_bounds([] if name == _SELF else distribution.requires or []):
            text = f"{name} {distribution.version} wants {DISTRIBUTION}{bounds or ', any release'}"
            if _admits(bounds, version):
                yield Check("extension", OK, text)
            else:
                yield Check("extension", WARN, f"{text}, and {version} is there", f"{PIP} '{DISTRIBUTION}{bounds}'")


def _parse_bounds(requirements: list[str]) -> Iterator[SpecifierSet]:
    here = this_environment()
    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        yield from (one.specifier for one in runtime_requirements([requirement], [here]))


def _admits(bounds: SpecifierSet, version: str) -> bool:
    try:
        return bounds.contains(version, prereleases=True)
    except InvalidVersion:
        return False
