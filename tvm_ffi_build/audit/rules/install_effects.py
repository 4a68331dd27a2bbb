"""Rules on what a wheel does to an environment beside adding its package."""

from __future__ import annotations

import re
import stat
from collections import defaultdict
from typing import TYPE_CHECKING

from ...platforms.systems import WINDOWS
from ...wheels.install_places import PACKAGES, place_of, resolve_place
from ..findings import ERROR, WARNING, Problem, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

# What "site" reads at each start. The importer takes modules with many endings, but not with that of stubs.
_AT_START = re.compile(rf"{PACKAGES}/([^/]+\.pth|(sitecustomize|usercustomize)(/__init__)?\.(?!pyi$)[^/]+)")
# The keys of the binary distribution format, as installers know them ("sysconfig.get_path_names" and "headers").
_KEYS = {"purelib", "platlib", "headers", "scripts", "data"}
_DATA = re.compile(r"(?P<directory>[^/]+\.data)/(?P<key>[^/]+)(/|$)", re.IGNORECASE)
# The system of a member whose attributes hold a mode (APPNOTE.TXT 4.4.2.2).
_UNIX = 3
# Of a mode: set user, set group, sticky, and writable by all.
_SPECIAL = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | stat.S_IWOTH


@wheel_rule("C419", "code that runs when Python starts", WARNING)
def startup_file(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for files that Python's module ``site`` reads at each start, whatever is imported."""
    for name in contents.wheel.files:
        if _AT_START.fullmatch(resolve_place("", place_of(name))):
            yield Problem(
                f"{name} is read whenever Python starts in the environment, also for programs without the package",
                "leave it out, and do what it does when the package is imported",
                name,
                (name,),
            )


@wheel_rule("C420", "a directory that installers treat differently", ERROR)
def foreign_data(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for ``.data`` directories of other names, and keys in them that no installer knows."""
    own = contents.wheel.dist_info.removesuffix(".dist-info/") + ".data"
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in contents.wheel.files:
        match = _DATA.match(name)
        if match is None:
            continue
        if match["directory"] != own:
            reason = f"pip installs it as if it were {own}, other installers put it next to the packages"
            found[match["directory"], reason].append(name)
        elif match["key"] not in _KEYS:
            found[f"{own}/{match['key']}", f"installers know {', '.join(sorted(_KEYS))} only"].append(name)
    for (directory, reason), names in found.items():
        yield Problem(f"{directory}: {reason}", "rename it, or leave it out", names[0], tuple(names))


@wheel_rule("C421", "special permissions", WARNING)
def special_permissions(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for modes that let others change a file, or that run it with the rights of its owner."""
    if subject.platform == WINDOWS:
        return  # which has no such permissions
    found: dict[int, list[str]] = defaultdict(list)
    for name, member in contents.wheel.archive.members.items():
        mode = stat.S_IMODE(member.external_attr >> 16)
        # Files of Windows have no mode: Python stores 0666 for each that can be written there.
        if member.create_system == _UNIX and mode & _SPECIAL:
            found[mode].append(name)
    for mode, names in found.items():
        others = f" and {len(names) - 1} other files have" if len(names) > 1 else " has"
        yield Problem(
            f"{names[0]}{others} the mode {mode:04o}: programs that unpack wheels with permissions create "
            "a file that others can change, or that runs with the rights of its owner",
            "remove these permissions before the build: chmod u-s,g-s,o-w,-t",
            names[0],
            (f"{mode:04o}", *names),
        )


RULES = (startup_file, foreign_data, special_permissions)
