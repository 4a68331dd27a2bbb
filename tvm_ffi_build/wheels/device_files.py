"""The files of a wheel that are device code and nothing else: cubins, fatbins, PTX, bundles of clang."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..binaries.device_code import DEVICE_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .wheel import Wheel

__all__ = ["unpack_device_files"]


def unpack_device_files(wheel: Wheel, folder: Path) -> Mapping[str, Path]:
    """Unpack a verified wheel's files of device code, by their names; return where each lies.

    Raises:
        WheelError: One is damaged.

    """
    paths = {}
    for name in wheel.files:
        if DEVICE_FILE.search(name):
            path = paths[name] = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for piece in wheel.archive.chunks(name):
                    file.write(piece)
    return paths
