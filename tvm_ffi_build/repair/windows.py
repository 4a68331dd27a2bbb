"""Windows wheels, by delvewheel: which DLLs a Windows has, and what has to be grafted."""

from __future__ import annotations

import os
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..audit.dll_search import DllSearch
from ..contract.minimum_platform import find_floor
from ..errors import RefusedError
from ..platforms.systems import WINDOWS, base_name
from ..platforms.tags import tag_pattern
from .plan import Plan, read_architecture, refuse_foreign_libraries
from .tools import require_tool, run_tool, source_date, stored_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from ..wheels import Wheel
    from ..wheels.libraries import WheelLibraries
    from .plan import Request

__all__ = ["WindowsRepairer"]

_DELVEWHEEL = [sys.executable, "-m", "delvewheel"]
# Before the list of what would be grafted in what "delvewheel show" says.
_GRAFTS = "The following DLLs will be copied into the wheel."


class WindowsRepairer:
    """Repairs Windows wheels, on any host."""

    def plan(self, contents: WheelLibraries, request: Request) -> Plan:
        """Ask delvewheel what Windows lacks; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        require_tool("delvewheel", "1.12", "has no patterns for --exclude")
        refuse_foreign_libraries(contents)
        tag = tag_pattern("windows", read_architecture(contents))
        if request.platform_tag is not None and request.platform_tag.lower() != tag:
            raise RefusedError(f"{request.platform_tag} is not meant: this wheel's libraries are {tag}")
        direct = contents.needed()
        excluded = tuple(
            sorted(name for name in direct if request.excludes.match(name) and not _comes_with_runtime(name))
        )
        folder = stored_wheel(contents).parent
        listed = _parse_listing(
            run_tool([*_DELVEWHEEL, "show", *_list_tool_options(request), str(stored_wheel(contents))], folder)
        )
        grafts = tuple(sorted(name for name in direct if base_name(name) in listed))
        warnings = list(find_floor(contents.wheel.runtime_bounds(), tag).warnings(tag))
        search = DllSearch(contents.wheel, contents.binaries)
        users = {user for name in grafts for user in direct[name]}
        if not all(map(search.is_loaded_by_path, users)):
            warnings.append(
                f"tvm_ffi.load_module will not find {', '.join(grafts)}, since it looks nowhere for what an extension "
                "needs; load the extension by ctypes.CDLL before, as the loader that stubgen writes does"
            )
        # What a copied library needs is in the list too.
        spelled = {base_name(name): name for name in direct}
        lost = tuple(sorted(spelled.get(name, name) for name, is_there in listed.items() if not is_there))
        return Plan((tag,), grafts, excluded, tuple(warnings), lost)

    def graft(self, contents: WheelLibraries, request: Request, folder: Path) -> None:
        """Run ``delvewheel repair``; see :class:`~tvm_ffi_build.repair.plan.Repairer`."""
        if request.strip:
            raise RefusedError("a PE library's symbols lie in its PDB, which is not in a wheel", "leave out --strip")
        command = [*_DELVEWHEEL, "repair", *_list_tool_options(request), "--wheel-dir", str(folder)]
        namespaces = _find_namespaces(contents.wheel)
        if namespaces:
            command += ["--namespace-pkg", os.pathsep.join(namespaces)]
        run_tool([*command, str(stored_wheel(contents))], folder, source_date(contents))


def _find_namespaces(wheel: Wheel) -> list[str]:
    """Return the folders that have no ``__init__.py`` and are in none that has; delvewheel would write one there.

    That would hide what other distributions have in a folder of that name (PEP 420).
    """
    folders = {folder for name in wheel.files for folder in map(str, PurePosixPath(name).parents) if folder != "."}
    regular = {folder for folder in folders if f"{folder}/__init__.py" in wheel.archive.members}
    return sorted(
        folder.replace("/", ".")
        for folder in folders
        # Names of packages have no dots, but dist-info and the like do.
        if "." not in folder and regular.isdisjoint({folder, *map(str, PurePosixPath(folder).parents)})
    )


def _comes_with_runtime(library: str) -> bool:
    """Say whether a library is loaded wherever the runtime is."""
    return WINDOWS.is_runtime(library) or base_name(library) in WINDOWS.brings


def _list_tool_options(request: Request) -> list[str]:
    # Without the first it looks at extension modules (.pyd) only, and extensions of TVM-FFI are none; without the
    # second it looks elsewhere for a library that is in the wheel, and finds none or another one.
    excluded = [WINDOWS.library, *sorted(WINDOWS.brings), *request.excludes.all_globs()]
    options = ["--analyze-existing", "--ignore-existing", "--exclude", os.pathsep.join(excluded)]
    if request.library_paths:
        options += ["--add-path", os.pathsep.join(map(str, request.library_paths))]
    return options


def _parse_listing(said: str) -> dict[str, bool]:
    """Return the DLLs that would be copied, in lower case, and whether they were found.

    What delvewheel says is a title, and an indented line for each: the name, and its path or an error in parentheses.
    """
    found = {}
    lines = iter(said.splitlines())
    for line in lines:
        if line.strip() == _GRAFTS:
            for row in lines:
                if not row.startswith(" "):
                    break
                name, _, path = row.strip().partition(" (")
                found[name.lower()] = not path.startswith("Error")
    return found
