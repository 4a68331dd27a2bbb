"""Compares generated stubs with what libraries offer; :mod:`~tvm_ffi_build.audit.rules.generated_stubs` reports it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LoadError
from ..platforms.systems import HOST, base_name
from ..stubgen.files.directives import parse_document
from ..stubgen.fill.definitions import is_method_of_library
from ..stubgen.generate import generate
from ..stubgen.registry.snapshot import exported_functions, library_file_names
from ..stubgen.registry.take import take_snapshot
from ..wheels.libraries import installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .subject import Subject

__all__ = ["find_changed_files", "find_differences"]

_METHOD = re.compile(r"^\s*def (\w+)\(", re.MULTILINE)


def find_differences(subject: Subject, name: str, text: str) -> list[str]:
    """Return the functions that a library exports and its stubs have not, or the other way round."""
    libraries = {base_name(library): binary for library, binary in subject.binaries.items()}
    found: list[str] = []
    for block in parse_document(text, name).blocks:
        names = [one.lower() for one in library_file_names(block.parameter) if one.lower() in libraries]
        if block.kind == "library" and names:
            offered = set(filter(is_method_of_library, exported_functions(libraries[names[0]])))
            written = set(_METHOD.findall(block.body))
            found += [f"{one} is not in the stubs" for one in sorted(offered - written)]
            found += [f"{one} is not in the library" for one in sorted(written - offered)]
    return found


def find_changed_files(subject: Subject, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the files that would be written otherwise, and one line of each."""
    if subject.platform != HOST:
        raise LoadError(f"{subject.path.name} is for {subject.platform.name} and cannot be loaded here", "omit --load")
    loaded = [subject.paths[name] for name, binary in subject.users() if not binary.is_program]
    snapshot = take_snapshot(loaded, command=(sys.executable,))
    places = {Path(installed(name)): name for name in texts}
    # Classes that other files register are where those are.
    sources = {Path(installed(name)): text for name, text in subject.stub_sources.items()}
    result = generate({**sources, **{place: texts[name] for place, name in places.items()}}, snapshot)
    return {
        name: [line]
        for place, name in places.items()
        if (line := _first_difference(texts[name], result.texts.get(place, texts[name])))
    }


def _first_difference(old: str, new: str) -> str:
    """Return the first line that is not there yet, whatever the indentation."""
    known = {line.strip() for line in old.splitlines()}
    wanted = {line.strip() for line in new.splitlines()}
    missing = [line.strip() for line in new.splitlines() if line.strip() not in known]
    return next(iter([*missing, *sorted(known - wanted)]), "")
