"""Whether the libraries of a wheel are of the system that its tag names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import RefusedError
from ..platforms.systems import FORMATS

if TYPE_CHECKING:
    from ..wheels.libraries import Contents

__all__ = ["require_format"]


def require_format(contents: Contents) -> None:
    """Check that all libraries have the format of the wheel's system.

    Raises:
        RefusedError: One does not, so no tag of that system fits.

    """
    wanted = next(format_ for format_, system in FORMATS.items() if system == contents.platform)
    for name, binary in contents.binaries.items():
        if binary.format != wanted:
            raise RefusedError(
                f"{contents.wheel.path.name} is tagged {'.'.join(contents.wheel.platforms)}, and {name} in it is "
                f"{binary.format}, not {wanted}; build a wheel for each system, with its libraries"
            )
