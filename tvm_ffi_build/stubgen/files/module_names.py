"""Which name Python imports a file by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

__all__ = ["find_module_name"]


def find_module_name(path: Path, prefix: str, files: Collection[Path]) -> str:
    """Return the dotted name of the module in a file.

    Args:
        path: The file.
        prefix: A prefix of registered names that the file is for, or nothing.
        files: Files that are about to be written, ``__init__.py`` of packages among them.

    """
    folders = path.resolve().parents
    # As they are named in this run, which starts packages.
    started = [folder / "__init__.py" in files for folder in path.parents]
    packages: list[str] = []
    for depth, folder in enumerate(folders):
        if not (any(started[depth : depth + 1]) or (folder / "__init__.py").exists()):
            break
        packages.insert(0, folder.name)
    names = prefix.split(".") if prefix else []
    if len(names) > len(packages) and list(folders[0].parts[-len(names) :]) == names:
        # The package may not be one yet, or part of a namespace (PEP 420).
        packages = names
    return ".".join(packages if path.stem == "__init__" else [*packages, path.stem])
