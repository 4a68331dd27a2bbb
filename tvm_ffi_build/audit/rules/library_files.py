"""Rules on files and names of libraries: each library is one file, whose name no other wheel has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ..findings import ERROR, WARNING, Problem, pair_rule, wheel_rule
from ..private_libraries import describe_renaming, find_private_libraries, fingerprint_library, has_own_name
from .loading import has_system, is_external

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...wheels.libraries import WheelLibraries
    from ..audit_wheels import Report
    from ..subject import Subject

__all__ = ["RULES"]


@wheel_rule("P361", "several copies of one library", WARNING)
def library_copies(subject: Subject, _contents: WheelLibraries) -> Iterator[Problem]:
    """Look for files that are the same library, such as the names that CMake makes of VERSION and SOVERSION.

    They are symbolic links where CMake makes them, which wheels cannot hold.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    # To read files for nothing takes time, so only those of which the tables say the same are read.
    for alike in _group_alike(subject).values():
        for name in alike if len(alike) > 1 else ():
            for image in subject.binaries[name].images[:1]:
                found[image.architecture, fingerprint_library(subject.paths[name], image)].append(name)
    users = {name for name, _ in subject.users()}
    for files in found.values():
        if len(files) > 1:
            symptom = ': the runtime stops it with "already registered"' if files[0] in users else ""
            yield Problem(
                f"{', '.join(files[:-1])} and {files[-1]} are the same library: a process that loads two of them has "
                f"it twice{symptom}",
                "remove VERSION and SOVERSION of its target; if you did not build it, install only the file that has "
                "the name other libraries need",
                files[0],
                tuple(files),
            )


def _group_alike(subject: Subject) -> dict[tuple[object, ...], list[str]]:
    """Return the libraries by what copies have in common, repaired and stripped ones too."""
    found: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for name, binary in subject.others():
        if binary.exported and not binary.is_program:
            found[tuple((image.architecture, image.exports) for image in binary.images)].append(name)
    return found


@wheel_rule("P362", "a library with a common name", WARNING)
def common_library_name(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that others of the wheel need by a name that is not this wheel's."""
    for library in find_private_libraries(subject):
        name, files = library.name, tuple(library.fingerprints)
        image = subject.binaries[files[0]].images[0]
        if not (has_own_name(subject, name) or has_system(subject, image, name) or is_external(subject, name)):
            yield Problem(
                f"{files[0]} is needed as {name}, which is not a name of this package only: if another package has "
                f"loaded its own {name}, this one calls that",
                f"rename it: {describe_renaming(subject.path, name)}",
                files[0],
                files,
            )


@pair_rule("P363", "two wheels contain a library of the same name", ERROR)
def taken_name(first: Report, second: Report) -> Iterator[Problem]:
    """Look for libraries of two wheels that a process would take for each other."""
    theirs = {library[:3]: library for library in first.private_libraries}
    for library in second.private_libraries:
        other = theirs.get(library[:3])
        # The same library is as good from either.
        if other is not None and set(other.fingerprints.values()) != set(library.fingerprints.values()):
            file, their_file = min(library.fingerprints), min(other.fingerprints)
            yield Problem(
                f"{file} and {their_file} of {first.path.name} are different libraries with the name {library.name}: a "
                "process that imports both packages calls the one that is loaded first for both",
                f"rename one: {describe_renaming(second.path, library.name)}",
                file,
                (f"{second.path.name}: {file}", f"{first.path.name}: {their_file}"),
            )


RULES = (library_copies, common_library_name, taken_name)
