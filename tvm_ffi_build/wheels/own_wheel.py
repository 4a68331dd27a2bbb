"""The running tvm-ffi-build as a wheel, for the isolated environments that it starts builds in.

An isolated environment is filled from the index, which has some release of tvm-ffi-build or none. A build that this
program starts is to use this program.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MissingToolError
from ..host.package_data import RESOURCES, resource_path
from .record import Row, row_of, write_rows
from .writer import ArchiveWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DISTRIBUTION", "write_own_wheel"]

DISTRIBUTION = "tvm-ffi-build"

_PACKAGE = Path(__file__).resolve().parents[1]
_WHEEL = "Wheel-Version: 1.0\nGenerator: tvm-ffi-build\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
# The earliest that a zip archive can say (MS-DOS format, APPNOTE.TXT 4.4.6).
_TIME = (1980, 1, 1, 0, 0, 0)


def write_own_wheel(folder: Path) -> Path:
    """Write a wheel of this installation, editable or not, into a folder and return its path.

    Raises:
        MissingToolError: The package runs without being installed, so it has no metadata.

    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise MissingToolError(
            f"{_PACKAGE} is not installed, so no build can be given it",
            command=f"python -m pip install -e {_PACKAGE.parent}",
        ) from None
    stem = f"tvm_ffi_build-{distribution.version}"
    members = dict(_list_package_files())
    for name in ("METADATA", "entry_points.txt"):
        members[f"{stem}.dist-info/{name}"] = (distribution.read_text(name) or "").encode()
    members[f"{stem}.dist-info/WHEEL"] = _WHEEL.encode()
    record = f"{stem}.dist-info/RECORD"
    members[record] = write_rows([*(row_of(name, data) for name, data in members.items()), Row(record)])

    path = folder / f"{stem}-py3-none-any.whl"
    with path.open("wb") as file:
        archive = ArchiveWriter(file)
        for name, data in members.items():
            archive.add(name, data, _TIME)
        archive.finish()
    return path


def _list_package_files() -> Iterator[tuple[str, bytes]]:
    # A checkout keeps the resources beside the package, a wheel below its data/; a wheel is what is to come out.
    roots = [(_PACKAGE, "tvm_ffi_build"), *((resource_path(name), f"tvm_ffi_build/data/{name}") for name in RESOURCES)]
    for root, prefix in roots:
        if root.is_file():
            yield prefix, root.read_bytes()
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            skip = "__pycache__" in relative.parts or (root == _PACKAGE and relative.parts[0] == "data")
            if path.is_file() and not skip:
                yield f"{prefix}/{relative.as_posix()}", path.read_bytes()
