"""A rule on the symbols that a library imports: a library defines each of them, where that can be decided."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import filterfalse
from typing import TYPE_CHECKING

from ...binaries.python_calls import calls_python, is_python_library
from ...external_libraries.system_symbols import read_system_symbols
from ...platforms.systems import LINUX, MACOS, base_name
from ...wheels.find_words import find_words
from ..findings import ERROR, Problem, library_rule
from ..resolved_libraries import resolve_libraries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...binaries import Image, Symbol
    from ..resolved_libraries import ResolvedLibraries
    from ..subject import Subject

__all__ = ["RULES"]

# Of glibc and GCC: all of their symbols are known, and have versions, so that a library which was linked to them asks
# for those.
_ALL_KNOWN = re.compile(r"(lib(c|m|dl|pthread|rt|util|resolv|anl|mvec|gcc_s|stdc\+\+|atomic)|ld-linux[\w-]*)\.so\.\d+")
# C++ symbols but those of the C++ library, which has not seen to all of them having a version.
_CXX = "_Z"
_CXX_LIBRARY = re.compile(r"_Z((T\w)?N?[VK]*S|(T\w)?N\d+__|[nd][wal])")
# Of libobjc and what that needs: libc++ and libc++abi. Every process of macOS has loaded them, since libSystem calls
# libobjc before any initializer runs (_objc_init in Apple's objc4).
_EVERYWHERE_ON_MACOS = re.compile(
    r"_?objc_|OBJC_(META)?CLASS_\$_(NSObject|Protocol)$|sel_[a-z]+[A-Z]|(class|object|method|ivar|protocol|property)_"
    r"(get|set|copy|add|is|conformsTo|respondsTo|exchange|replace)[A-Z]|__cxa_|__gxx_personality_v0$"
)
# What a program makes of its libraries' symbols for all others (dlopen(3)), in Python and in C.
_GLOBALLY = b"RTLD_GLOBAL"
_LOADING = ("dlopen", "dlmopen")


@library_rule("P356", "an undefined symbol", ERROR)
def undefined_symbol(subject: Subject) -> Iterator[Problem]:
    """Look for symbols that none of the libraries defines which are loaded with this one, if all of them are known.

    Linkers of Linux let undefined symbols pass unless they are told not to; those of macOS do where they are told to.
    Elsewhere a library can be of another version than the one that was linked to.
    """
    loaded = {
        architecture: resolve_libraries(subject, architecture)
        for architecture in {image.architecture for _, image in subject.images()}
    }
    # R203 and R205 report symbols of the runtime. Other libraries of the wheel may define some in its namespace.
    of_runtime = {needs.name: needs.symbols for needs in subject.assessment.needs}
    python = {symbol for _, binary in subject.others() for symbol in calls_python(binary)}
    find = {LINUX: _find_undefined_on_linux, MACOS: _find_undefined_on_macos}.get(
        subject.platform, _find_undefined_in_named
    )
    for name, image in subject.images():
        libraries = loaded[image.architecture]
        found = sorted(set(find(subject, name, image, libraries)) - python - of_runtime[name])
        if found:
            yield Problem(
                f"{name} has the undefined symbol {found[0]}: no library that is loaded with it defines that, so "
                "loading it fails, or the first call ends the process",
                _describe_remedy(libraries, name, found[0]),
                name,
                tuple(found),
            )


def _find_undefined_on_linux(subject: Subject, name: str, image: Image, libraries: ResolvedLibraries) -> Iterator[str]:
    around = libraries.find_scope(name)
    asked = {
        symbol
        for symbol in image.imports
        if symbol.version and not symbol.weak and libraries.find_named(symbol.library)
    }
    yield from (symbol.name for symbol in _find_missing_versions(asked, libraries, around))
    if not libraries.needs_only(around, lambda needed: _is_known_on_linux(subject, needed)):
        return
    imported = {symbol.name for symbol in image.imports if not (symbol.version or symbol.weak)}
    # Of which R206 tells.
    leaks = {symbol for needs in subject.assessment.needs for symbol in needs.leaks}
    missing = libraries.subtract_exports((name for name in imported - leaks if not _has_system(name)), around)
    nowhere = libraries.subtract_exports(missing, libraries.images)
    yield from nowhere
    if missing != nowhere and not _loads_globally(subject, libraries):
        yield from missing - nowhere


def _find_undefined_on_macos(subject: Subject, name: str, image: Image, libraries: ResolvedLibraries) -> Iterator[str]:
    yield from _find_undefined_in_named(subject, name, image, libraries)
    # What is to come from any library of the process (ld's option "-undefined dynamic_lookup") is in none that was
    # linked to. Where every symbol is like this, the library has the flat namespace, and nothing is known of any.
    anywhere = [symbol for symbol in image.imports if not symbol.library]
    if len(anywhere) < len(image.imports) and libraries.needs_only(
        libraries.find_scope(name), lambda needed: _is_known_on_macos(subject, needed)
    ):
        names = {symbol.name for symbol in anywhere if not symbol.weak}
        yield from libraries.subtract_exports(filterfalse(_is_everywhere_on_macos, names), libraries.images)


def _find_undefined_in_named(_: Subject, __: str, image: Image, libraries: ResolvedLibraries) -> Iterator[str]:
    """Yield what is to come from a library of the wheel that does not have it.

    Windows and macOS (two-level namespace) note of each symbol from which library it is to come.
    """
    imported: dict[str, set[str]] = defaultdict(set)
    for symbol in image.imports:
        if symbol.name and symbol.library and not symbol.weak:
            imported[symbol.library].add(symbol.name)
    for library, symbols in imported.items():
        named = libraries.find_named(library)
        # One without any, or with those of others too, has not said all in the tables that are read.
        if named and all(libraries.images[one].exports and not libraries.images[one].reexports for one in named):
            yield from libraries.subtract_exports(symbols, named)


def _find_missing_versions(asked: set[Symbol], libraries: ResolvedLibraries, around: frozenset[str]) -> set[Symbol]:
    """Return those of some symbols with versions that none of some libraries has.

    A symbol without a version is taken, whatever version is asked for.
    """
    exports = (one for name in around for one in libraries.images[name].exports) if asked else ()
    found = {(one.name, one.version) for one in exports}
    return {one for one in asked if found.isdisjoint({(one.name, one.version), (one.name, "")})}


def _loads_globally(subject: Subject, libraries: ResolvedLibraries) -> bool:
    """Say whether something of the wheel may load a library for all others, as far as its texts tell."""
    if any(symbol.name in _LOADING for image in libraries.images.values() for symbol in image.imports):
        return True
    if subject.contents is None:
        return False
    contents = subject.contents
    files = (name for name in contents.wheel.files if name.endswith(".py"))
    return any(find_words(contents.chunks(name), [_GLOBALLY]) for name in files)


def _has_system(symbol: str) -> bool:
    """Say whether a symbol is one of glibc's or of GCC's libraries."""
    return bool(_CXX_LIBRARY.match(symbol)) if symbol.startswith(_CXX) else symbol in read_system_symbols()


def _is_known_on_linux(subject: Subject, needed: str) -> bool:
    return subject.platform.is_runtime(needed) or is_python_library(needed) or bool(_ALL_KNOWN.fullmatch(needed))


def _is_everywhere_on_macos(symbol: str) -> bool:
    return bool(_EVERYWHERE_ON_MACOS.match(symbol) or _CXX_LIBRARY.match(symbol))


def _is_known_on_macos(subject: Subject, needed: str) -> bool:
    return subject.platform.is_runtime(needed) or is_python_library(needed) or subject.platform.has(needed)


def _describe_remedy(libraries: ResolvedLibraries, name: str, symbol: str) -> str:
    """Return what to do; a library of the same build may define the symbol and hide it.

    A linker with ``--as-needed``, as Ubuntu's, leaves out what exports nothing that is used, so that one may be any.
    """
    link = "compile the source or link the library that defines it"
    ignore = "if something else has loaded it before, ignore this rule for the file"
    needed = [needed for needed in libraries.images[name].libraries if libraries.find_named(needed)]
    others = needed or [other for other in libraries.images if other != name]
    if not others:
        return f"{link}; {ignore}"
    hiding, target = "another library of the wheel", "TARGET"
    if needed or len(others) == 1:
        hiding = base_name(others[0])
        target = hiding.partition(".")[0].removeprefix("" if hiding.endswith(".dll") else "lib")
    export = f"tvm_ffi_configure_target({target} EXPORT {symbol})"
    return f"if {hiding} defines it, write {export}; otherwise {link}; {ignore}"


RULES = (undefined_symbol,)
