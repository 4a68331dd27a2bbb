"""The one place that knows how each platform names things."""

from __future__ import annotations

import sys
from typing import Literal, NamedTuple

__all__ = [
    "FORMATS",
    "HOST",
    "LINUX",
    "MACOS",
    "PLATFORMS",
    "WINDOWS",
    "BinaryFormat",
    "Platform",
    "base_name",
    "is_musl_library",
    "macos_of_tag",
]


# No dataclass, here and below: their import takes longer than all the rest of a path query.
class Platform(NamedTuple):
    """An operating system as the runtime's wheels know it.

    Attributes:
        name: The word used in messages and in JSON.
        library: File name of the runtime's shared library.
        import_library: File name of what a linker is given instead of the library, where that is another file.
        link_flags: What selects the runtime's library on a linker's command line, where a directory search exists.
        brings: Names of the libraries, in lower case, that the runtime's own library needs though the system has them
            not: where the runtime is loaded, so are they.
        system: How the paths of libraries begin that every system has, in part without a file.

    """

    name: str
    library: str
    import_library: str | None = None
    link_flags: str | None = "-ltvm_ffi"
    brings: frozenset[str] = frozenset()
    system: tuple[str, ...] = ()

    def is_runtime(self, library: str) -> bool:
        """Say whether a library's name is one of the runtime's library, a versioned or a mangled one too.

        >>> [LINUX.is_runtime(name) for name in ("libtvm_ffi.so.1", "libtvm_ffi-2d0c7e1a.so", "libtvm_ffi_orcjit.so")]
        [True, True, False]
        """
        name = library.replace("\\", "/").rpartition("/")[2].lower()
        stem, _, suffix = self.library.partition(".")
        return name.partition(".")[0].partition("-")[0] == stem and suffix in name.split(".")

    def has(self, library: str) -> bool:
        """Say whether a library, by the path it is asked for, comes with the system."""
        return library.startswith(self.system)


LINUX = Platform("linux", "libtvm_ffi.so")
MACOS = Platform("macos", "libtvm_ffi.dylib", system=("/usr/lib/", "/System/Library/"))
WINDOWS = Platform(
    "windows",
    "tvm_ffi.dll",
    import_library="tvm_ffi.lib",
    link_flags=None,
    brings=frozenset({"msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll"}),
)

PLATFORMS = (LINUX, MACOS, WINDOWS)
BinaryFormat = Literal["ELF", "Mach-O", "PE"]
FORMATS: dict[BinaryFormat, Platform] = {"ELF": LINUX, "Mach-O": MACOS, "PE": WINDOWS}

HOST = {"win32": WINDOWS, "cygwin": WINDOWS, "darwin": MACOS}.get(sys.platform, LINUX)


def macos_of_tag(minimum: str | None) -> tuple[int, int]:
    """Return the macOS that something is built for, as wheel tags can say it.

    From macOS 11 on installers ask for major versions alone, so 13.3 needs 14_0.

    >>> macos_of_tag("10.15"), macos_of_tag("11.0"), macos_of_tag("13.3"), macos_of_tag(None)
    ((10, 15), (11, 0), (14, 0), (0, 0))
    """
    if minimum is None:
        return 0, 0
    major, minor = map(int, minimum.split("."))
    return (major + 1, 0) if major >= 11 and minor else (major, minor)


def is_musl_library(library: str) -> bool:
    """Say whether a library's name is that of musl: its C library or its loader.

    >>> is_musl_library("libc.musl-x86_64.so.1"), is_musl_library("ld-musl-aarch64.so.1"), is_musl_library("libc.so.6")
    (True, True, False)
    """
    return library.startswith(("libc.musl-", "ld-musl-"))


def base_name(library: str) -> str:
    """Return the last part of a library's path, in lower case.

    >>> base_name("@rpath/libFoo.dylib")
    'libfoo.dylib'
    """
    return library.replace("\\", "/").rpartition("/")[2].lower()
