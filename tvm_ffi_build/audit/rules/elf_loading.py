"""Rules on what a library asks of the dynamic linker beside libraries and symbols; most are about ELF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...platforms.tags import parse_tags
from ..findings import ERROR, WARNING, Problem, library_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...binaries import Image, Segment
    from ..subject import Subject

__all__ = ["RULES"]

# Where glibc takes the stack to be executable if a library does not say (DEFAULT_STACK_PERMS in its stackinfo.h).
_EXECUTABLE_BY_DEFAULT = {"armel", "armv7l", "i686", "ppc", "s390x", "x86_64"}
# The largest pages that Linux can be configured to have; elsewhere they are as large as linkers assume.
_LARGEST_PAGES = {"aarch64": 1 << 16, "loongarch64": 1 << 16, "ppc64": 1 << 16, "ppc64le": 1 << 16}
_PAGE = 1 << 12
_RELATIVE_RELOCATIONS = "GLIBC_ABI_DT_RELR"
_FIRST_WITH_RELATIVE_RELOCATIONS = (2, 36)
# Since then p_align is no longer looked at (https://sourceware.org/bugzilla/show_bug.cgi?id=28688).
_FIRST_WITHOUT_ALIGNMENT = (2, 35)


@library_rule("P371", "an executable stack is needed", ERROR)
def executable_stack(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that glibc 2.41 refuses, since they ask for an executable stack or do not decline one."""
    for name, image in _for_glibc(subject):
        asked = image.loading.executable_stack
        if asked or (asked is None and image.architecture in _EXECUTABLE_BY_DEFAULT):
            how = "asks for an executable stack" if asked else "does not say that its stack is not executable"
            yield Problem(
                f'{name} {how}, so from glibc 2.41 on loading it fails: "cannot enable executable stack"',
                'add .section .note.GNU-stack,"",%progbits to each assembly source, or link with -Wl,-z,noexecstack; '
                "of a library that you did not build, clear the flag: patchelf --clear-execstack LIBRARY",
                name,
                ("PT_GNU_STACK with PF_X" if asked else "no PT_GNU_STACK",),
            )


@library_rule("P372", "packed relocations without their version", ERROR)
def relative_relocations(subject: Subject) -> Iterator[Problem]:
    """Look for ``DT_RELR`` in libraries that do not need the version by which glibc says that it knows it."""
    oldest = _oldest_glibc(subject)
    for name, image in _for_glibc(subject):
        versions = {version for _, version in image.versions}
        if not image.loading.relative_relocations or _RELATIVE_RELOCATIONS in versions:
            continue
        # glibc, elf/dl-version.c: the version is asked for where a library needs others of libc.so.
        is_refused = any(library.startswith("libc.so.") for library, _ in image.versions)
        if is_refused or (oldest is not None and oldest < _FIRST_WITH_RELATIVE_RELOCATIONS):
            yield Problem(
                f"{name} has packed relocations (DT_RELR) and does not need {_RELATIVE_RELOCATIONS}: glibc before 2.36 "
                f"loads it without them, and it crashes{'; newer ones refuse it' if is_refused else ''}",
                "link with -Wl,-z,nopack-relative-relocs (lld: --pack-dyn-relocs=none)",
                name,
                ("DT_RELR",),
            )


@library_rule("P373", "text relocations", WARNING)
def text_relocations(subject: Subject) -> Iterator[Problem]:
    """Look for ``DT_TEXTREL``: SELinux and hardened kernels do not let code be written."""
    for name, image in subject.images():
        if image.loading.text_relocations:
            yield Problem(
                f'{name} has relocations in code, so where SELinux forbids that loading it fails: "cannot restore '
                'segment prot after reloc"',
                "compile every object and static library in it with -fPIC, and link with -Wl,-z,text, which names the "
                "others",
                name,
                ("DT_TEXTREL",),
            )


@library_rule("P374", "segments are not aligned for 64 KiB pages", ERROR)
def small_pages(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that only machines with small pages can map; some architectures have others (numpy#16677)."""
    for name, image in subject.images():
        page = _LARGEST_PAGES.get(image.architecture, _PAGE)
        found = [segment for segment in image.loading.segments if segment.alignment % page]
        if found and page != _PAGE:
            yield Problem(
                f"{name} is aligned for pages of {found[0].alignment} bytes, and {image.architecture} machines may "
                f'have pages of {page}, where loading it fails: "ELF load command alignment not page-aligned"',
                f"link with -Wl,-z,max-page-size={page}; after patchelf: patchelf --page-size {page}",
                name,
                _shown(found),
            )


@library_rule("P375", "segments at inconsistent offsets", ERROR)
def misaligned(subject: Subject) -> Iterator[Problem]:
    """Look for segments whose address and place in the file differ modulo their alignment (NixOS/patchelf#492)."""
    oldest = _oldest_glibc(subject)
    for name, image in _for_glibc(subject):
        # From glibc 2.35 on only the size of a page counts.
        is_checked = oldest is None or oldest < _FIRST_WITHOUT_ALIGNMENT
        page = _LARGEST_PAGES.get(image.architecture, _PAGE)
        found = [
            segment
            for segment in image.loading.segments
            if (segment.address - segment.offset) % (max(segment.alignment, 1) if is_checked else page)
        ]
        if found:
            is_for_newer = all((segment.address - segment.offset) % page == 0 for segment in found)
            yield Problem(
                f"{name} has a misaligned segment, and glibc{' before 2.35' if is_for_newer else ''} does not load it: "
                '"ELF load command address/offset not properly aligned"',
                "change its rpath with another patchelf: 0.17.2 does not have the bug, and 0.18.0 has it",
                name,
                _shown(found),
            )


@library_rule("P376", "the rpath contains the current directory", WARNING)
def current_directory(subject: Subject) -> Iterator[Problem]:
    """Look for empty entries of run paths, and for those that begin nowhere: both depend on where Python is started."""
    for name, image in subject.images():
        found = tuple(path for path in image.run_paths if not path.startswith(("/", "$", "@")))
        if found:
            shown = f"the relative rpath {found[0]}" if found[0] else "an empty entry in its rpath"
            yield Problem(
                f"{name} has {shown}, so libraries are loaded from the directory in which Python is started",
                "remove the entry: patchelf --set-rpath; a colon at the end of LD_RUN_PATH or -Wl,-rpath leaves one",
                name,
                image.run_paths,
            )


def _for_glibc(subject: Subject) -> Iterator[tuple[str, Image]]:
    """Yield the images that glibc may load: all, except in a wheel that is for musl only."""
    if subject.contents is None or any(
        tag.family != "musllinux" for tag in parse_tags(subject.contents.wheel.platforms)
    ):
        yield from subject.images()


def _oldest_glibc(subject: Subject) -> tuple[int, int] | None:
    """Return the oldest glibc that the wheel is tagged for, or None if no tag says that."""
    if subject.contents is None:
        return None
    tags = [tag for tag in parse_tags(subject.contents.wheel.platforms) if tag.family in {"manylinux", "linux"}]
    versions = [tag.version for tag in tags]
    return min((version for version in versions if version), default=None) if None not in versions else None


def _shown(segments: list[Segment]) -> tuple[str, ...]:
    return tuple(f"offset {one.offset:#x}, address {one.address:#x}, alignment {one.alignment:#x}" for one in segments)


RULES = (executable_stack, relative_relocations, text_relocations, small_pages, misaligned, current_directory)
