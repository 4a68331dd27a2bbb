"""Libraries of another operating system than the one that a wheel's tag names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..platforms.systems import FORMATS

if TYPE_CHECKING:
    from ..binaries import Binary
    from ..platforms.systems import Platform

__all__ = ["system_fault"]

_FORMAT_OF = {system: format_ for format_, system in FORMATS.items()}
_MACOS = "macOS"


def system_fault(binary: Binary, system: Platform) -> str:
    """Return why an operating system does not load a library, whatever the processor; empty if it does.

    dyld refuses a library of iOS or Mac Catalyst on macOS ("incompatible platform"); one may be for several systems.
    """
    if FORMATS[binary.format] != system:
        return f"it is {binary.format}, not {_FORMAT_OF[system]}"
    for image in binary.images:
        if image.systems and _MACOS not in image.systems:
            return f"it is built for {' and '.join(image.systems)}, not {_MACOS}"
    return ""
