"""The one place that knows how each platform names things."""

from __future__ import annotations

import sys
from typing import NamedTuple

__all__ = ["HOST", "LINUX", "MACOS", "PLATFORMS", "WINDOWS", "Platform"]


# No dataclass, here and below: their import takes longer than all the rest of a path query.
class Platform(NamedTuple):
    """An operating system as the runtime's wheels know it.

    Attributes:
        name: The word used in messages and in JSON.
        library: File name of the runtime's shared library.
        import_library: File name of what a linker is given instead of the library, where that is another file.
        link_flags: What selects the runtime's library on a linker's command line, where a directory search exists.

    """

    name: str
    library: str
    import_library: str | None = None
    link_flags: str | None = "-ltvm_ffi"


LINUX = Platform("linux", "libtvm_ffi.so")
MACOS = Platform("macos", "libtvm_ffi.dylib")
WINDOWS = Platform("windows", "tvm_ffi.dll", import_library="tvm_ffi.lib", link_flags=None)

PLATFORMS = (LINUX, MACOS, WINDOWS)

HOST = {"win32": WINDOWS, "cygwin": WINDOWS, "darwin": MACOS}.get(sys.platform, LINUX)
