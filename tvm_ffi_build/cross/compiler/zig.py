"""The compiler: zig, as the distribution ``ziglang`` brings it, with the C and C++ libraries of every platform."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MissingToolError, PlatformError
from ...host.programs import python_command
from ...platforms.systems import LINUX

if TYPE_CHECKING:
    from ..targets import Target

__all__ = ["Zig", "find_zig"]

_DISTRIBUTION = "ziglang"
_INSTALL = f"{python_command()} -m pip install 'tvm-ffi-build[cross]'"
# Which symbols each glibc has, in a format of zig's own: the number of libraries, their names with a NUL after each,
# the number of versions, three bytes for each.
_GLIBC = "lib/libc/glibc/abilists"


@dataclass(frozen=True)
class Zig:
    """A zig.

    Attributes:
        program: Where it is.
        version: Its version.

    """

    program: Path
    version: str

    def glibc_versions(self) -> tuple[tuple[int, int], ...]:
        """Return the glibc that it can link for, oldest first; none if it does not say so in the way that is known."""
        try:
            data = (self.program.parent / _GLIBC).read_bytes()
            *_, rest = data[1:].split(b"\0", data[0])
            numbers = rest[1 : 1 + 3 * rest[0]]
        except (OSError, IndexError, ValueError):
            return ()
        found = {(numbers[at], numbers[at + 1]) for at in range(0, len(numbers) - 2, 3)}
        return tuple(sorted(version for version in found if version[0] == 2))

    def require(self, target: Target) -> None:
        """Check that it can link for a platform.

        Raises:
            PlatformError: It does not know the platform's glibc.

        """
        known = self.glibc_versions()
        if target.system == LINUX and known and target.version not in known:
            major, minor = known[-1]
            raise PlatformError(
                f"{target.tag}: zig {self.version} knows glibc up to {major}.{minor}",
                f"name an older one, or run: {python_command()} -m pip install -U {_DISTRIBUTION}",
            )


@lru_cache
def find_zig() -> Zig:
    """Find the zig of this environment.

    Raises:
        MissingToolError: ``ziglang`` is not installed.

    """
    spec = importlib.util.find_spec(_DISTRIBUTION)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(folder, "zig")
        if program.is_file():
            return Zig(program, importlib.metadata.version(_DISTRIBUTION))
    raise MissingToolError("ziglang is not installed, which compiles for other platforms", command=_INSTALL)
