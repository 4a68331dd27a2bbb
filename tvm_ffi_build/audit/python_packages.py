"""The Python packages of a wheel, and which of its libraries lie in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..binaries.python_calls import module_functions
from ..binaries.runtime_calls import uses_runtime
from ..wheels.libraries import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..wheels.libraries import WheelLibraries

__all__ = ["find_library_directories", "find_source_directories", "has_python", "list_loaded_libraries"]

# Directories that projects keep their packages in, and that have no place in a wheel.
_SOURCES = ("src", "source", "python")
# What repair tools add.
_BY_TOOLS = (".libs", ".dylibs")


def list_loaded_libraries(contents: WheelLibraries) -> list[str]:
    """Return the libraries of a wheel that Python code loads for what the runtime does with them."""
    copies = contents.runtime_copies()
    return [
        name
        for name, binary in contents.binaries.items()
        if name not in copies
        and not binary.is_program
        and not module_functions(binary)
        and uses_runtime(binary, contents.platform)
    ]


def has_python(contents: WheelLibraries) -> bool:
    """Say whether a wheel has anything that can be imported."""
    return any(name.endswith(".py") for name in contents.wheel.files) or any(
        map(module_functions, contents.binaries.values())
    )


def find_library_directories(contents: WheelLibraries) -> dict[str, str]:
    """Return the directories at the top that hold a library and nothing to import, with a library of each.

    A wheel without Python code at all has none: it has no package either.
    """
    if not has_python(contents):
        return {}
    with_code = {installed(name).partition("/")[0] for name in contents.wheel.files if name.endswith(".py")}
    with_code |= {
        installed(name).partition("/")[0] for name, binary in contents.binaries.items() if module_functions(binary)
    }
    found: dict[str, str] = {}
    for name in list_loaded_libraries(contents):
        top, _, below = installed(name).partition("/")
        if below and top not in with_code and not top.endswith((".data", *_BY_TOOLS)):
            found.setdefault(top, name)
    return found


def find_source_directories(contents: WheelLibraries) -> dict[str, str]:
    """Return the directories at the top that hold packages and are none themselves, with a package of each."""
    files = {installed(name) for name in contents.wheel.files}
    return dict(_find_source_packages(files))


def _find_source_packages(files: set[str]) -> Iterator[tuple[str, str]]:
    for directory in _SOURCES:
        if f"{directory}/__init__.py" in files:
            continue
        for name in sorted(files):
            parts = name.split("/")
            # A second copy, beside the package itself, is in nobody's way.
            if (
                len(parts) == 3
                and parts[0] == directory
                and parts[2] == "__init__.py"
                and "/".join(parts[1:]) not in files
            ):
                yield directory, parts[1]
                break
