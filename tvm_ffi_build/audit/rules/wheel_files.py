"""Rules on whether a wheel holds what its users need, and nothing that only its makers do."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from ...wheels.import_packages import NOT_PACKAGES
from ...wheels.libraries import installed
from ..findings import ERROR, WARNING, Problem, first_rule, library_rule, wheel_rule
from ..python_packages import find_library_directories, find_source_directories
from ..strings import build_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

_STATIC = re.compile(r"\.(a|o|obj|la|lo)$", re.IGNORECASE)
_IMPORT = re.compile(r"\.(lib|exp|dll\.a)$", re.IGNORECASE)
_HEADER = re.compile(r"\.(h|hh|hpp|hxx|cuh|inl)$", re.IGNORECASE)
_COMPILED = re.compile(r"(^|/)__pycache__/|\.py[co]$")
_DEBUG = re.compile(r"\.z?debug_|__DWARF,|\.stab")
_DSYM = re.compile(r"^(.*?)\.dSYM/")
# Small ones are not worth a word.
_DEBUG_BYTES = 1 << 20
_INSTALL = "leave it out of install(), or of install.components in [tool.scikit-build]"


@first_rule("C401", "the wheel contradicts itself", ERROR)
def contradiction(subject: Subject) -> Iterator[Problem]:
    """Look for wheels whose name, metadata and RECORD do not fit each other or the files."""
    error = subject.contradiction
    if error is not None:
        yield Problem(error.what, error.remedy)


@wheel_rule("C402", "names collide on case-insensitive file systems", ERROR)
def case_collision(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for files that overwrite each other on macOS and Windows."""
    spelled: dict[str, list[str]] = defaultdict(list)
    for name in contents.wheel.files:
        spelled[installed(name).casefold()].append(name)
    for names in spelled.values():
        if len(names) > 1:
            yield Problem(
                f"{names[1]} and {names[0]} collide on case-insensitive file systems",
                "rename one",
                names[1],
                tuple(names),
            )


@wheel_rule("C403", "a static library or object file", WARNING)
def static_library(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for what a linker takes."""
    for name in contents.wheel.files:
        kind = contents.others.get(name)
        # GPUs and kernels (BPF) load relocatable files; names do not tell them from what linkers take.
        if (_STATIC.search(name) and kind != "device code") or (kind == "static library" and not _IMPORT.search(name)):
            yield Problem(f"{name} is for linkers, and of no use at run time", _INSTALL, name, (name,))


@wheel_rule("C404", "a header in the wheel", WARNING)
def header_file(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for what a compiler takes."""
    yield from _find_files(
        contents, _HEADER, "is for compilers", f"{_INSTALL}; if users compile with it, ignore this rule"
    )


@wheel_rule("C405", "an import library", WARNING)
def import_library(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for what the linkers of Windows take."""
    yield from _find_files(
        contents, _IMPORT, "is for linkers, and of no use at run time", "install RUNTIME, not ARCHIVE"
    )


@library_rule("C406", "paths of the build machine", WARNING)
def build_machine_paths(subject: Subject) -> Iterator[Problem]:
    """Look for absolute paths of source files in libraries."""
    for name, binary in subject.others():
        found = tuple(build_paths(subject.paths[name], binary))
        if found:
            yield Problem(
                f"{name} names {len(found)} source files by their paths on the machine that built it",
                "map them: tvm_ffi_configure_target does, as does -ffile-prefix-map (MSVC: /d1trimfile)",
                name,
                found,
            )


@library_rule("C407", "mostly debug information", WARNING)
def debug_information(subject: Subject) -> Iterator[Problem]:
    """Look for libraries of which more than a share is for debuggers."""
    for name, binary in subject.others():
        sections = {
            (section.offset, section.size)
            for image in binary.images
            for section in image.sections
            if _DEBUG.match(section.name)
        }
        size = sum(size for _, size in sections)
        whole = subject.paths[name].stat().st_size
        if size >= _DEBUG_BYTES and size > subject.settings.debug_share * whole:
            yield Problem(
                f"{name} is debug information by {100 * size // whole} % ({size / 1e6:.1f} of {whole / 1e6:.1f} MB)",
                "build it as Release, split it off with tvm_ffi_install(... SPLIT_DEBUG ON), or repair with --strip",
                name,
                (f"{size} bytes",),
            )


@wheel_rule("C408", "stubs without py.typed", WARNING)
def missing_py_typed(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for packages with stubs and without ``py.typed`` (PEP 561)."""
    files = {installed(name) for name in contents.wheel.files}
    typed = {name for name in files if name.endswith(".pyi")}.union(map(installed, subject.generated))
    packages = {name.partition("/")[0]: name for name in sorted(typed) if "/" in name}
    for package, example in packages.items():
        # A distribution of stubs alone needs none (PEP 561, "Stub-only Packages").
        marked = any(f"{folder}py.typed" in files for folder in _enclosing_folders(example))
        if not marked and not package.endswith("-stubs"):
            yield Problem(
                f"{package} has types and no py.typed, so checkers of code that uses it do not read them",
                f"add an empty file {package}/py.typed to the package",
                example,
                (example,),
            )


@wheel_rule("C409", "bytecode", WARNING)
def bytecode(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for what Python compiles for itself."""
    found = tuple(name for name in contents.wheel.files if _COMPILED.search(name))
    if found:
        yield Problem(
            "the wheel holds bytecode, which each Python makes for itself",
            'write wheel.exclude = ["**.pyc"] in [tool.scikit-build]',
            found[0],
            found,
        )


@wheel_rule("C410", "a file outside of the package", WARNING)
def file_outside_package(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for files and folders beside the package, where all distributions meet."""
    # Rules of their own (C414, C416) report these.
    reported = {*find_library_directories(contents), *find_source_directories(contents)}
    files = [installed(name) for name in contents.wheel.files if ".dist-info/" not in name]
    with_python = {name.partition("/")[0] for name in files if name.endswith((".py", ".pyi"))}
    own = contents.wheel.name.replace("-", "_")
    found: dict[str, str] = {}
    for name in files:
        top, below = name.partition("/")[::2]
        is_module = not below and top.endswith((".py", ".pyi", ".pth"))
        is_package = below and top.lower() not in NOT_PACKAGES and (top in with_python or top.lower() == own)
        # What repair tools add, and scripts, data and headers with places of their own (".data" in PEP 427).
        is_by_tools = below and top.endswith((".libs", ".dylibs", ".scripts", ".data"))
        if not (is_module or is_package or is_by_tools or top in reported):
            found.setdefault(top, name)
    for top, name in found.items():
        yield Problem(
            f"{top} would be installed next to the packages of all distributions",
            "install it into the package: install(... DESTINATION <package>)",
            name,
            (name,),
        )


@wheel_rule("C411", "debug symbols that belong to no library", WARNING)
def stray_dsym(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for dSYM folders whose library is not beside them."""
    folders = {match[1]: name for name in reversed(contents.wheel.files) if (match := _DSYM.match(name))}
    for library, file in sorted(folders.items()):
        if library not in subject.binaries:
            yield Problem(
                f"{library}.dSYM is there, and {library} is not",
                "give tvm_ffi_install the DESTINATION of install(TARGETS ...), or leave the directory out",
                file,
                (f"{library}.dSYM",),
            )


def _find_files(contents: WheelLibraries, pattern: re.Pattern[str], what: str, remedy: str) -> Iterator[Problem]:
    for name in contents.wheel.files:
        if pattern.search(name):
            yield Problem(f"{name} {what}", remedy, name, (name,))


def _enclosing_folders(name: str) -> Iterable[str]:
    """Return the folders that a file is in, the nearest one first, with slashes."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[:depth]) + "/" for depth in range(len(parts), 0, -1)]


RULES = (
    contradiction,
    case_collision,
    static_library,
    header_file,
    import_library,
    build_machine_paths,
    debug_information,
    missing_py_typed,
    bytecode,
    file_outside_package,
    stray_dsym,
)
