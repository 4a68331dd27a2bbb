"""Install a wheel into a scratch directory and import its packages, in a process of its own.

Nothing is resolved or downloaded: what the wheel requires is taken from the environment of this process.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.tags import parse_tag, sys_tags

from ..host.regular_files import read_regular
from ..host.run import last_line, run_bounded
from .install_places import PACKAGES, place_of
from .markers import applies_in, this_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement

    from .wheel import Wheel

__all__ = ["NOT_PACKAGES", "Imported", "import_wheel", "list_packages"]

# Directories at the top of a wheel that are not meant to be imported, or belong elsewhere.
NOT_PACKAGES = {
    *("bin", "build", "cmake", "dist", "doc", "docs", "example", "examples", "include", "lib", "lib64", "share"),
    *("src", "test", "tests", "tools"),
}
# Seconds: importing a large package takes some on a busy machine.
_SECONDS = 120
# So many missing requirements are named.
_NAMED = 3
_SCHEME = re.compile(r"^[^/]+\.data/(plat|pure)lib/", re.MULTILINE)
# Imports the packages one by one and writes what came of it to a file: standard output is the packages' own.
_SCRIPT = """\
import importlib, json, sys
from importlib.machinery import PathFinder

packages, result, *names = sys.argv[1:]
sys.path.insert(0, packages)
# Editable installs have finders of their own, which would import the package from its source tree.
sys.meta_path.insert(0, PathFinder)
found = {}
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as error:
        text = str(error).strip().partition("\\n")[0].rstrip(":")
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        found = {"package": name, "error": f"{type(error).__name__}: {text}"[:2000], "missing": missing}
        break
with open(result, "w", encoding="utf-8", errors="replace") as file:
    json.dump(found, file)
sys.exit(bool(found))
"""


class Imported(NamedTuple):
    """What came of importing the packages of a wheel; nothing in it if they could be imported.

    Attributes:
        unchecked: Why they were not imported.
        package: The package that cannot be imported.
        error: Why: the last line of the exception, or how the process ended.
        missing: A module that it imports, if that is in neither the wheel nor its environment.

    """

    unchecked: str = ""
    package: str = ""
    error: str = ""
    missing: str = ""

    @property
    def remedy(self) -> str:
        """What to do about the error."""
        if self.missing:
            return f"add the distribution that has {self.missing} to dependencies in [project]"
        return f"fix what {self.package} does when it is imported"


def list_packages(files: Iterable[str]) -> list[str]:
    """Return the packages and modules of a wheel that a user imports, parents of other packages only.

    >>> list_packages(["demo/__init__.py", "demo/sub/__init__.py", "acme/kernels/__init__.py", "one.py"])
    ['acme.kernels', 'demo', 'one']
    >>> list_packages(["demo/libdemo.so", "libdemo.so", "tests/__init__.py", "demo-1.0.dist-info/METADATA"])
    []
    """
    places = [_SCHEME.sub("", name) for name in files]
    found = {name.rpartition("/")[0] for name in places if name.endswith("/__init__.py")}
    tops = {name for name in found if not any(f"{name}/".startswith(f"{other}/") for other in found - {name})}
    modules = {name.partition(".")[0] for name in places if "/" not in name and _is_module(name)}
    dotted = {name.replace("/", ".") for name in tops | modules if name.partition("/")[0] not in NOT_PACKAGES}
    return sorted(name for name in dotted if all(part.isidentifier() for part in name.split(".")))


def import_wheel(wheel: Wheel, folder: Path) -> Imported:
    """Import the packages of a wheel as its users do, with what it requires from this environment.

    Args:
        wheel: The wheel.
        folder: An empty directory.

    Raises:
        WheelError: A file is not what the wheel says of it.
        MissingToolError: Python cannot be started.

    """
    packages = list_packages(wheel.files)
    unchecked = _explain_why_not(wheel, packages)
    if unchecked:
        return Imported(unchecked)
    site = _install(wheel, folder / "installed")
    result = folder / "result.json"
    command = [sys.executable, "-c", _SCRIPT, str(site), str(result), *packages]
    try:
        # In an empty directory: "python -c" also imports what lies in the current one, which may be the source tree.
        done = run_bounded(command, timeout=_SECONDS, cwd=site.parent)
    except subprocess.TimeoutExpired:
        return Imported(package=packages[0], error=f"it took more than {_SECONDS} s")
    found = _read_result(result, done)
    if found:
        missing = found.get("missing") or ""
        own = {name.partition("/")[0] for name in map(place_in_packages, wheel.files)}
        is_foreign = missing and missing.partition(".")[0] not in own
        error = (found.get("error") or "").replace(f"{site}{os.sep}", "")
        return Imported(package=found.get("package") or packages[0], error=error, missing=missing if is_foreign else "")
    if done.returncode != 0:
        return Imported(package=packages[-1], error=last_line(done) or f"the process ended with {done.returncode}")
    return Imported()


def _read_result(path: Path, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what the script wrote; the packages that it imported can write to the same file."""
    if not os.path.lexists(path):
        return {"error": last_line(done) or f"the process ended with {done.returncode}"}
    try:
        found = json.loads(read_regular(path, follow_links=False))
    except (OSError, ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and all(isinstance(value, (str, type(None))) for value in found.values()):
        return found
    return {"error": "it replaced the file for the result of the import"}


def place_in_packages(name: str) -> str:
    """Return where a file of a wheel will be, in the directory for packages."""
    return _SCHEME.sub("", name)


def _is_module(name: str) -> bool:
    # ".so" alone is also the ending of libraries that are not extension modules.
    endings = [ending for ending in EXTENSION_SUFFIXES if ending.count(".") > 1]
    return name.endswith((".py", *endings))


def _explain_why_not(wheel: Wheel, packages: list[str]) -> str:
    """Return why a wheel cannot be imported here, whatever is in it."""
    if not packages:
        return "the wheel has no package"
    if parse_tag(wheel.tag).isdisjoint(sys_tags()):
        return f"the wheel is for another platform or Python ({wheel.tag})"
    needed = list(_list_missing(wheel.requirements))
    more = f" and {len(needed) - _NAMED} more" if len(needed) > _NAMED else ""
    return f"needs {', '.join(needed[:_NAMED])}{more}" if needed else ""


def _list_missing(requirements: Iterable[Requirement]) -> Iterator[str]:
    """Yield the requirements of a plain install that this environment does not fulfil."""
    environment = this_environment()
    for requirement in requirements:
        if applies_in(requirement, environment):
            try:
                version = importlib.metadata.version(requirement.name)
            except importlib.metadata.PackageNotFoundError:
                yield requirement.name
                continue
            if not requirement.specifier.contains(version, prereleases=True):
                yield f"{requirement.name}{requirement.specifier}"


def _install(wheel: Wheel, prefix: Path) -> Path:
    """Unpack a wheel to where an installer puts its files; return the directory for packages."""
    unpacked = wheel.verify(prefix.parent / "unpacked", lambda *_: True)
    for name, path in unpacked.items():
        target = prefix / place_of(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    site = prefix / PACKAGES
    info = site / wheel.dist_info
    info.mkdir(parents=True, exist_ok=True)
    # Loaders look a library up in RECORD, which has the places where files are installed.
    record = _SCHEME.sub("", wheel.read(f"{wheel.dist_info}RECORD").decode("utf-8"))
    (info / "RECORD").write_text(record, encoding="utf-8")
    _link_requirements(wheel.requirements, site)
    return site


def _link_requirements(requirements: Iterable[Requirement], site: Path) -> None:
    """Put what the wheel requires beside its packages, where rpaths such as ``$ORIGIN/../tvm_ffi/lib`` lead."""
    if sys.platform == "win32":
        return  # which has no rpaths, and links for few users
    for requirement in requirements:
        try:
            installed = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for top in {file.parts[0] for file in installed.files or () if len(file.parts) > 1}:
            source, link = installed.locate_file(top), site / top
            if top != os.pardir and not top.endswith(".dist-info") and not link.exists():
                link.symlink_to(Path(str(source)).resolve())
