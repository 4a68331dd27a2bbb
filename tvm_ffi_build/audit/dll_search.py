"""Where the Python files of a wheel let Windows look for DLLs, as far as their text tells.

``tvm_ffi.load_module`` calls ``LoadLibraryW``, which looks for what a DLL needs in the directories of Windows and of
``PATH``. ``ctypes.CDLL``, given a path, looks in the directory of the DLL and in those that ``os.add_dll_directory``
was called with, and nowhere else. What is loaded already is found by its file name from anywhere.
"""

from __future__ import annotations

import ast
import posixpath
from collections import defaultdict
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ..binaries.python_calls import module_functions
from ..contract.evidence.python_use import UnreadPythonError, parse_python
from ..platforms.systems import base_name
from ..wheels.find_words import find_words
from ..wheels.install_places import place_of
from .resolved_libraries import find_reachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..binaries import Binary
    from ..wheels import Wheel

__all__ = ["DllSearch", "LoadingCode", "read_loading_code"]

_LOADERS = {"CDLL", "OleDLL", "PyDLL", "WinDLL", "LoadLibrary", "LoadLibraryExW"}
# The runtime's own way to CDLL, which is given a distribution and the name of a library in it.
_BY_NAME = "load_lib_ctypes"
_ADDS = "add_dll_directory"
_PATH = "PATH"
# Bytes of a file; longer ones are made by programs, and hold data.
_LONGEST = 1 << 20


class LoadingCode(NamedTuple):
    """What a Python file loads.

    Attributes:
        file: Which, as :func:`~tvm_ffi_build.wheels.install_places.place_of`.
        loads: Whether it loads DLLs by their path, with what they need from their directory.
        adds: Whether it adds directories in which those are looked for.
        changes_path: Whether it has to do with ``PATH``, whose directories are looked in for all DLLs.
        names: The last parts of the paths that it names, in lower case; they may hold wildcards.

    """

    file: str
    loads: bool
    adds: bool
    changes_path: bool
    names: frozenset[str]

    def names_file(self, file: str) -> bool:
        """Say whether the code names a DLL, by its file name, its name without an ending, or a pattern."""
        name = posixpath.basename(file).lower()
        stem = name.rpartition(".")[0]
        known = {name, stem, stem.removeprefix("lib")}
        return any(one in known or _is_pattern_of(one, name) for one in self.names)

    def names_directory(self, directory: str) -> bool:
        """Say whether the code names a directory, by the last part of its path or as one that it lies in itself."""
        name = posixpath.basename(directory).lower()
        if f"{posixpath.dirname(self.file)}/".startswith(f"{directory}/"):
            return True
        return any(one == name or _is_pattern_of(one, name) for one in self.names)


class DllSearch:
    """How Windows looks for the DLLs of a wheel, once its Python files have prepared what they do."""

    def __init__(self, wheel: Wheel, binaries: Mapping[str, Binary]) -> None:
        self._wheel = wheel
        self._binaries = binaries
        self._places: dict[str, list[str]] = defaultdict(list)
        for name in binaries:
            self._places[base_name(name)].append(name)

    @cached_property
    def _codes(self) -> list[LoadingCode]:
        return read_loading_code(self._wheel, self._binaries)

    def list_roots(self, libraries: Iterable[str]) -> list[str]:
        """Return what code has to load so that some libraries are: those of them, and of their users, without users."""
        users: dict[str, set[str]] = defaultdict(set)
        for name, binary in self._binaries.items():
            for needed in binary.libraries:
                for place in self._places.get(base_name(needed), ()):
                    users[place] |= {name} - {place}
        wanted = list(libraries)
        reached = find_reachable(wanted, users.__getitem__)
        # In a circle each is needed by another one.
        return sorted(name for name in reached if not users[name]) or wanted

    def not_found(self, library: str) -> Iterator[tuple[str, str, str]]:
        """Yield what is not found when a library is loaded: what needs it, its name, and where in the wheel it is."""
        seen, waiting = {library}, [library]
        while waiting:
            user = waiting.pop()
            for needed in self._binaries[user].libraries:
                places = [place for place in self._places.get(base_name(needed), ()) if place not in seen]
                if not places or base_name(needed) == base_name(user):
                    continue
                seen.update(places)
                found = [place for place in places if self._is_found(place, library)]
                waiting += found
                if not found:
                    yield user, needed, places[0]

    def _is_found(self, dll: str, library: str) -> bool:
        directory = posixpath.dirname(place_of(dll))
        if any(code.loads and code.names_file(dll) for code in self._codes):
            return True  # before, and then it is found by its name
        if any(code.changes_path and code.names_directory(directory) for code in self._codes):
            return True
        return self.is_loaded_by_path(library) and (
            directory == posixpath.dirname(place_of(library))
            or any(code.adds and code.names_directory(directory) for code in self._codes)
        )

    def is_loaded_by_path(self, library: str) -> bool:
        """Say whether a library is loaded in the way that also looks in its directory and in those that were added."""
        # CPython imports extension modules as ctypes loads libraries.
        return bool(module_functions(self._binaries[library])) or any(
            code.loads and (code.names_file(library) or not self._is_named(library)) for code in self._codes
        )

    def _is_named(self, library: str) -> bool:
        """Say whether any code names a library; if not, its name is worked out, and whatever loads DLLs may load it."""
        return any(code.names_file(library) for code in self._codes)


def read_loading_code(wheel: Wheel, libraries: Iterable[str]) -> list[LoadingCode]:
    """Return what the Python files of a wheel load; those that cannot be parsed load nothing.

    Args:
        wheel: The wheel.
        libraries: Its libraries. Only files that name one, or call what loads one, are parsed.

    """
    stems = {posixpath.basename(name).rpartition(".")[0].removeprefix("lib") for name in libraries}
    words = {word.encode() for word in (*_LOADERS, _BY_NAME, _ADDS, *filter(None, stems))}
    files = (
        name
        for name in wheel.files
        if name.endswith(".py")
        and wheel.archive.members[name].file_size <= _LONGEST
        and find_words(wheel.archive.chunks(name), words)
    )
    texts = ((name, wheel.read(name).decode("utf-8", "replace")) for name in files)
    found = [code for name, text in texts if (code := _read(place_of(name), text)) is not None]
    # A file that loads what others name: their texts count as its own.
    everywhere = frozenset[str]().union(*(code.names for code in found))
    return [
        code._replace(names=everywhere) if code.loads and not any(_is_dll(one) for one in code.names) else code
        for code in found
    ]


def _read(file: str, text: str) -> LoadingCode | None:
    try:
        tree = parse_python(text)
    except UnreadPythonError:
        return None
    if tree is None:
        return None
    called = set(_list_called(tree))
    texts = set(_list_texts(tree))
    names = frozenset(part.lower() for one in texts for part in one.replace("\\", "/").split("/") if part)
    return LoadingCode(file, bool(called & {*_LOADERS, _BY_NAME}), _ADDS in called, _PATH in texts, names)


def _list_called(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the functions that are called to load what is not written out, or a DLL by its path."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            # CDLL("kernel32") is for another library.
            if name in {_ADDS, _BY_NAME} or not (node.args and isinstance(node.args[0], ast.Constant)):
                yield name


def _list_texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a file, without docstrings and other statements that are nothing but a text."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def _is_pattern_of(text: str, name: str) -> bool:
    """Say whether a text stands for a name: one with wildcards, or an ending that something is put before."""
    return (text.startswith(".") and name.endswith(text)) or ("*" in text and fnmatchcase(name, text))


def _is_dll(text: str) -> bool:
    return text.endswith((".dll", ".pyd"))
