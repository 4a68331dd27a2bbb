"""What the repair of a wheel has changed, read from the wheel before and after, whatever was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..platforms.systems import base_name

if TYPE_CHECKING:
    from ..wheels.libraries import WheelLibraries

__all__ = ["Changes", "compare_libraries"]


class Changes(NamedTuple):
    """The libraries that came into a wheel, and the needs that were taken out of it.

    Attributes:
        bundled: The files of the new wheel that the old one did not have and that its libraries need.
        removed: What no library needs any longer, though nothing came for it; auditwheel does this to libpython.

    """

    bundled: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def compare_libraries(before: WheelLibraries, after: WheelLibraries) -> Changes:
    """Return what tools have changed in a wheel's libraries."""
    needed = {base_name(one) for binary in after.binaries.values() for one in binary.libraries}
    bundled = (
        name
        for name, binary in after.binaries.items()
        # auditwheel also moves programs.
        if name not in before.binaries
        and not needed.isdisjoint({base_name(name), *(base_name(image.name) for image in binary.images if image.name)})
    )
    removed: set[str] = set()
    for name in before.binaries.keys() & after.binaries.keys():
        old, new = set(before.binaries[name].libraries), set(after.binaries[name].libraries)
        # One name for each is what a bundled library gets.
        if len(old - new) > len(new - old):
            removed |= {one for one in old - new if not _is_renamed(one, new - old)}
    return Changes(tuple(sorted(bundled)), tuple(sorted(removed)))


def _is_renamed(library: str, others: set[str]) -> bool:
    """Say whether one of some names is that of a library with the hash that auditwheel adds."""
    stem = base_name(library).partition(".")[0]
    return any(base_name(one).startswith((f"{stem}-", f"{stem}.")) for one in others)
