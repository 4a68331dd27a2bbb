"""Rules on whether generated stubs say what the library offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings import ERROR, Problem, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

_REMEDY = "build it again with STUB_DIR, or run tvm-ffi-build stubgen, and install what that wrote"


@wheel_rule("C412", "stubs are stale", ERROR)
def stale_stubs(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Compare generated stubs with what a library exports; if it may be loaded, with what it registers too."""
    texts = subject.generated
    if not texts:
        return
    # The generator takes long to import, and most wheels have no stubs.
    from ..stub_comparison import find_changed_files, find_differences  # noqa: PLC0415

    changed = find_changed_files(subject, texts) if subject.settings.load else {}
    for name, text in texts.items():
        differing = changed.get(name) or find_differences(subject, name, text)
        if differing:
            yield Problem(f"{name} is not what the library offers", _REMEDY, name, tuple(differing))


RULES = (stale_stubs,)
