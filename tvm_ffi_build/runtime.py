"""Where apache-tvm-ffi is and what it is, read from metadata and files.

The module ``tvm_ffi`` is never imported and its library never loaded: that would run its start-up code (and
possibly torch's) in every build, and could not describe a runtime of another platform at all.
"""

from __future__ import annotations

import importlib.machinery
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .errors import BrokenRuntimeError, RuntimeNotFoundError, UnsupportedRuntimeError
from .host.regular_files import read_regular, read_regular_text
from .platforms.systems import HOST, PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .platforms.systems import Platform

__all__ = [
    "DISTRIBUTION",
    "ENVIRONMENT_VARIABLE",
    "OLDEST_SUPPORTED",
    "UNKNOWN_VERSION",
    "Runtime",
    "find_runtime",
    "is_runtime_distribution",
]

DISTRIBUTION = "apache-tvm-ffi"
ENVIRONMENT_VARIABLE = "TVM_FFI_RUNTIME"
OLDEST_SUPPORTED = "0.1.8.post0"
# What tvm_ffi.__version__ says in a source checkout that was never built. The header macros are no substitute:
# 0.1.13.post0 carries the numbers of 0.1.14.
UNKNOWN_VERSION = "0.0.0.dev0"

_INSTALL = f"python -m pip install {DISTRIBUTION}"
_REINSTALL = f"python -m pip install --force-reinstall {DISTRIBUTION}"


def is_runtime_distribution(name: str) -> bool:
    """Say whether a name is the runtime's on package indexes, in any spelling that PEP 503 allows.

    >>> [is_runtime_distribution(name) for name in ("apache.tvm.ffi", "Apache_TVM-FFI", "apache-tvm-ffi-orcjit")]
    [True, True, False]
    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415  (path queries do not need it)

    return canonicalize_name(name) == DISTRIBUTION


class Runtime(NamedTuple):
    """One apache-tvm-ffi, whole: its headers and its library exist.

    Attributes:
        version: Version of the distribution, as its metadata spells it.
        platform: The platform that its library is for, which may be another than this machine's.
        package: Folder of the module ``tvm_ffi``.
        include_dir: Folder that holds ``tvm/ffi/c_api.h``.
        dlpack_include_dir: Folder that holds ``dlpack/dlpack.h``; often the same.
        library: The shared library.
        source_dir: Folder that holds the sources ``src/ffi``, or None where they are not shipped.

    """

    version: str
    platform: Platform
    package: Path
    include_dir: Path
    dlpack_include_dir: Path
    library: Path
    source_dir: Path | None

    @property
    def library_dir(self) -> Path:
        """Folder of the shared library."""
        return self.library.parent

    @property
    def link_library(self) -> Path:
        """The file that a linker is given, the import library on Windows and elsewhere the library itself.

        Raises:
            BrokenRuntimeError: The import library is missing.

        """
        if self.platform.import_library is None:
            return self.library
        path = self.library_dir / self.platform.import_library
        if not path.is_file():
            raise BrokenRuntimeError(f"{DISTRIBUTION} {self.version} lacks {path}", command=_REINSTALL)
        return path

    @property
    def cython_library(self) -> Path:
        """The compiled module ``tvm_ffi.core``.

        Raises:
            BrokenRuntimeError: There is none for the running Python.

        """
        # PathFinder looks into the folder alone; importlib.util.find_spec would import the package first.
        spec = importlib.machinery.PathFinder.find_spec("core", [str(self.package)])
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).resolve()
        # A runtime of another platform or Python has exactly one, under a suffix that this Python does not know.
        foreign = sorted([*self.package.glob("core.*.so"), *self.package.glob("core*.pyd")])
        if len(foreign) != 1:
            raise BrokenRuntimeError(
                f"{DISTRIBUTION} {self.version} in {self.package} has no module tvm_ffi.core", command=_REINSTALL
            )
        return foreign[0].resolve()

    def require_supported(self) -> None:
        """Check that extensions can be built against this runtime.

        Raises:
            BrokenRuntimeError: Its version is none.
            UnsupportedRuntimeError: It is older than :data:`OLDEST_SUPPORTED`.

        """
        if self.version == UNKNOWN_VERSION:
            return
        from packaging.version import InvalidVersion, Version  # noqa: PLC0415  (5 ms that plain queries need not pay)

        try:
            too_old = Version(self.version) < Version(OLDEST_SUPPORTED)
        except InvalidVersion:
            raise BrokenRuntimeError(
                f"{DISTRIBUTION} in {self.package} has the version {self.version}", command=_REINSTALL
            ) from None
        if too_old:
            raise UnsupportedRuntimeError(
                f"{DISTRIBUTION} {self.version} in {self.package} is too old to build against",
                command=f"python -m pip install '{DISTRIBUTION}>={OLDEST_SUPPORTED}'",
            )


def find_runtime(location: str | os.PathLike[str] | None = None) -> Runtime:
    """Find the runtime that ``import tvm_ffi`` would find in this Python, or the one at ``location``.

    Args:
        location: A folder that holds ``tvm_ffi/`` and its ``.dist-info`` (an unpacked wheel, of any platform, or a
            ``pip install --target`` folder), or a source checkout. Default: the environment variable
            ``TVM_FFI_RUNTIME``, and without it ``sys.path``, first match first.

    Raises:
        RuntimeNotFoundError: There is none.
        BrokenRuntimeError: There is one, but its headers, its library or its metadata are missing.

    """
    named = os.fspath(location) if location is not None else os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        # Absolute, so that a message tells which folder was meant.
        folder = Path(named).absolute()
        for entry in (folder, folder / "python"):
            runtime = _runtime_in(entry)
            if runtime is not None:
                return runtime
        import shlex  # noqa: PLC0415

        raise RuntimeNotFoundError(
            f"{folder} holds no {DISTRIBUTION}: it must hold tvm_ffi/ and its .dist-info, or be a source checkout",
            command=f"{_INSTALL} --target {shlex.quote(str(folder))}",
        )
    for entry in _search_path():
        runtime = _runtime_in(entry)
        if runtime is not None:
            return runtime
    from .host.programs import python_command  # noqa: PLC0415

    raise RuntimeNotFoundError(
        f"{DISTRIBUTION} is not installed in {sys.executable}",
        command=f"{python_command()} -m pip install {DISTRIBUTION}",
    )


def _search_path() -> Iterator[Path]:
    for entry in sys.path:
        path = Path(entry or os.curdir)
        try:
            found = path.is_dir()
        except PermissionError:  # Python passes over it too
            continue
        if found:
            yield path


def _runtime_in(entry: Path) -> Runtime | None:
    """Describe the runtime in one entry of the module search path, if there is one."""
    package = entry / "tvm_ffi"
    try:
        dist_info = _dist_info(entry)
        importable = (package / "__init__.py").is_file()
    except PermissionError:
        return None  # as Python passes over it
    if not importable and dist_info is None:
        return None
    # Where dist-info and module lie side by side, it is a plain install. An editable one has its sources elsewhere;
    # a module without metadata is <checkout>/python on the search path.
    checkout = entry.parent if dist_info is None else _editable_source(dist_info)
    parts = [package] if checkout is None else [package, checkout]
    if dist_info is not None and not importable and checkout is None:
        raise BrokenRuntimeError(f"{dist_info} has no module tvm_ffi next to it", command=_REINSTALL)
    version = _find_version(package, dist_info, checkout)
    library, platform = _find_library(parts, version)
    include_dir = _find_header_folder(parts, ["include"], "tvm/ffi/c_api.h", version)
    dlpack = _find_header_folder(parts, ["include", "3rdparty/dlpack/include"], "dlpack/dlpack.h", version)
    source_dir = next((part.resolve() for part in parts if (part / "src" / "ffi").is_dir()), None)
    if not package.is_dir() and checkout is not None:
        package = checkout / "python" / "tvm_ffi"
    return Runtime(
        version=version,
        platform=platform,
        package=package.resolve(),
        include_dir=include_dir,
        dlpack_include_dir=dlpack,
        library=library,
        source_dir=source_dir,
    )


def _dist_info(entry: Path) -> Path | None:
    # Names and not paths, let alone a glob, since site-packages may be large.
    names = os.listdir(entry) if entry.is_dir() else []  # noqa: PTH208
    found = sorted(entry / name for name in names if name.startswith("apache_tvm_ffi-") and name.endswith(".dist-info"))
    if len(found) > 1:
        both = " and ".join(path.name for path in found)
        raise BrokenRuntimeError(f"{entry} holds {both}, so one is stale", f"delete it and run: {_REINSTALL}")
    return found[0] if found else None


def _editable_source(dist_info: Path) -> Path | None:
    """Return the checkout behind an editable install (PEP 610)."""
    path = dist_info / "direct_url.json"
    if not path.exists():
        return None
    import json  # noqa: PLC0415  (installs from an index have no such file, and they are nearly all)
    from urllib.parse import urlsplit  # noqa: PLC0415
    from urllib.request import url2pathname  # noqa: PLC0415

    try:
        data = json.loads(read_regular(path))
        if not data.get("dir_info", {}).get("editable", False):
            return None
        checkout = Path(url2pathname(urlsplit(data["url"]).path))
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise BrokenRuntimeError(f"{path} is not valid", command=_REINSTALL) from None
    if not checkout.is_dir():
        raise BrokenRuntimeError(
            f"{dist_info} is an editable install of {checkout}, which is not there any more", command=_REINSTALL
        )
    return checkout


def _find_version(package: Path, dist_info: Path | None, checkout: Path | None) -> str:
    if dist_info is not None:
        version = _metadata_version(dist_info / "METADATA")
        if version is None:
            raise BrokenRuntimeError(f"{dist_info / 'METADATA'} is missing or names no version", command=_REINSTALL)
        return version
    text = _read_text(package / "_version.py")
    match = re.search(r"^__version__\s*=.*?['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    if match:
        return match[1]
    # An unpacked sdist, never built.
    return (checkout and _metadata_version(checkout / "PKG-INFO")) or UNKNOWN_VERSION


def _metadata_version(path: Path) -> str | None:
    headers = _read_text(path).split("\n\n", 1)[0]
    # Digits first, as in every version (PEP 440): what is not a version is none.
    match = re.search(r"^Version:\s*(\d\S*)", headers, re.MULTILINE)
    return match[1] if match else None


def _read_text(path: Path) -> str:
    """Return a file's text, or nothing where there is none to be had."""
    try:
        return read_regular_text(path)
    except (OSError, UnicodeDecodeError):
        return ""


def _find_library(parts: Iterable[Path], version: str) -> tuple[Path, Platform]:
    # An unpacked wheel holds the library of one platform; a checkout may hold several builds, of which the host's is
    # the one meant.
    platforms = sorted(PLATFORMS, key=lambda platform: platform != HOST)
    searched = [part / folder for part in parts for folder in ("lib", "build/lib")]
    for platform in platforms:
        for folder in searched:
            path = folder / platform.library
            if path.is_file():
                return path.resolve(), platform
    raise BrokenRuntimeError(
        f"{DISTRIBUTION} {version} in {searched[0].parent} has no {HOST.library}", command=_REINSTALL
    )


def _find_header_folder(parts: Iterable[Path], folders: Iterable[str], header: str, version: str) -> Path:
    parts = list(parts)
    for part in parts:
        for folder in folders:
            path = part / folder
            if (path / header).is_file():
                return path.resolve()
    raise BrokenRuntimeError(f"{DISTRIBUTION} {version} in {parts[0]} has no header {header}", command=_REINSTALL)
