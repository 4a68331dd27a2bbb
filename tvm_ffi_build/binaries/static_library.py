"""Static libraries (``ar.h``), which import libraries of Windows are as well; only told from other files, not read.

What their objects contain is in no process until a linker has made something of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .image import Data, FileKind

__all__ = ["MAGICS", "kind_of"]

MAGICS = (b"!<arch>\n", b"!<thin>\n")
# The first member of a package of Debian, which is such an archive too.
_DEBIAN = b"debian-binary"


def kind_of(data: Data) -> FileKind | None:
    """Return whether this is a static library, or None."""
    if data[:8] not in MAGICS or data[8 : 8 + len(_DEBIAN)] == _DEBIAN:
        return None
    return "static library"
