"""Looks at the programs that builds, repairs and cross builds run."""

from __future__ import annotations

import os
import re
import shlex
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from ..host.programs import find_program
from ..host.unfinished import temporary_folder
from .check import FAIL, OK, PIP, WARN, Check, ask_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .check import Status

__all__ = ["check_build_tools", "check_compilers", "check_extras"]

_SELF = "tvm-ffi-build"
# What the manifest asks of CMake and of scikit-build-core, whose plug-in points are newer.
_OLDEST_CMAKE, _OLDEST_BACKEND = "3.18", "1.0"
_INSTALL_COMPILER = {
    "darwin": "xcode-select --install",
    "linux": "apt-get install g++ (Debian, Ubuntu), or dnf install gcc-c++ (Fedora)",
}
# What each extra is for.
_EXTRAS = {
    "wheel": "wheels for other machines need",
    "cross": "wheels for other platforms need",
    "new": "tvm-ffi-build new needs",
}
# What is missed without them: the others are for those who want them.
_EXPECTED = {"wheel"}
# What stands before a builder's own additions, as in 1.13.0.git.kitware.
_NUMBER = re.compile(r"\d+(\.\d+)*")
# Needs the C++ library, a linker and C++17.
_SOURCE = """\
#include <optional>
#include <string>
extern "C" int doctor() { return std::optional<std::string>("ok").has_value(); }
"""


def check_compilers() -> Iterator[Check]:
    """Let the C++ compiler make a library, and see whether there is one for CUDA."""
    text = os.environ.get("CXX", "")
    try:
        named = shlex.split(text)
    except ValueError:  # a quotation that does not end
        named = [text]
    found = next(filter(None, map(find_program, named[:1] or ["c++", "g++", "clang++", "cl"])), None)
    if found is not None:
        yield _compile_sample([found, *named[1:]])
    elif named:
        yield Check(
            "c++", FAIL, f"CXX is {shlex.join(named)}, and this program does not exist", "unset CXX, or correct it"
        )
    elif sys.platform == "win32":
        # CMake asks Visual Studio's installer and not PATH.
        yield Check("c++", OK, "cl is not on PATH; CMake finds Visual Studio by itself, if it is installed")
    else:
        yield Check("c++", FAIL, "no C++ compiler is on PATH", _INSTALL_COMPILER.get(sys.platform, "install one"))
    nvcc = find_program(os.environ.get("CUDACXX") or "nvcc")
    if nvcc is None:
        yield Check("nvcc", OK, "is not on PATH; only kernels in CUDA need it")
    else:
        answer = ask_program([nvcc, "--version"])
        release = next((line for line in answer.lines if "release" in line), "it does not say its version")
        yield Check("nvcc", OK if answer.works else WARN, f"{nvcc}, {release}")


def _compile_sample(compiler: list[str]) -> Check:
    shown = ask_program([*compiler, "--version"]).lines[:1]
    text = f"{shlex.join(compiler)}{f', {shown[0]}' if shown else ''}"
    with temporary_folder() as folder:
        source, library = folder / "doctor.cc", folder / "doctor.lib"
        source.write_text(_SOURCE, encoding="utf-8")
        if os.path.basename(compiler[0]).lower() in {"cl", "cl.exe"}:  # noqa: PTH119  (a command, maybe no path)
            options = ["/nologo", "/std:c++17", "/EHsc", "/LD", f"/Fe{library}", f"/Fo{folder / 'doctor.obj'}"]
        else:
            options = ["-std=c++17", "-shared", "-fPIC", "-o", str(library)]
        answer = ask_program([*compiler, *options, source])
    if answer.works:
        return Check("c++", OK, text)
    said = next((line for line in answer.lines if "error" in line), (answer.lines or ["no word of why"])[-1])
    remedy = _INSTALL_COMPILER.get(sys.platform, "install another one")
    return Check("c++", FAIL, f"{text}: cannot make a C++17 library: {said}", remedy)


def check_build_tools() -> Iterator[Check]:
    """Look at what builds without isolation take from this environment."""
    brought = "isolated builds bring their own"
    cmake = find_program("cmake")
    if cmake is None:
        yield Check("cmake", OK, f"is not on PATH; {brought}")
    else:
        answer = ask_program([cmake, "--version"])
        version = answer.lines[0].split()[-1] if answer.works and answer.lines else ""
        yield _check_version("cmake", version, _OLDEST_CMAKE, cmake)
    ninja = find_program("ninja") or find_program("ninja-build")
    if ninja is None:
        yield Check("ninja", OK, f"is not on PATH; {brought}")
    else:
        answer = ask_program([ninja, "--version"])
        yield _check_version("ninja", answer.lines[0] if answer.works and answer.lines else "", "1.5", ninja)
    try:
        version = metadata.version("scikit-build-core")
    except metadata.PackageNotFoundError:
        yield Check("scikit-build-core", OK, f"is not installed; {brought}")
    else:
        yield _check_version("scikit-build-core", version, _OLDEST_BACKEND, "builds without isolation use it")


def _check_version(name: str, version: str, oldest: str, note: str) -> Check:
    """Compare a version with the oldest that will do."""
    number = _NUMBER.match(version)
    if number is None:
        return Check(name, WARN, f"does not say its version ({note})", f"{PIP} --force-reinstall {name}")
    if Version(number[0]) < Version(oldest):
        message = f"{version} is too old, {oldest} is the oldest that will do ({note})"
        return Check(name, WARN, message, f"{PIP} '{name}>={oldest}'")
    return Check(name, OK, f"{version} ({note})")


def check_extras() -> Iterator[Check]:
    """Look at what the extras of this package bring, by the requirements that it declares itself."""
    try:
        lines = metadata.requires(_SELF) or []
    except metadata.PackageNotFoundError:
        return  # has been said
    seen = {_SELF}  # extras may ask for each other, and for the same
    for extra in _EXTRAS:
        for requirement in map(Requirement, lines):
            marker = requirement.marker
            wanted = marker and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})
            if wanted and requirement.name not in seen:
                seen.add(requirement.name)
                yield _check_requirement(requirement, extra)


def _check_requirement(requirement: Requirement, extra: str) -> Check:
    name, remedy = requirement.name, f"{PIP} '{_SELF}[{extra}]'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        status: Status = WARN if extra in _EXPECTED else OK
        return Check(name, status, f"is not installed; {_EXTRAS[extra]} it", remedy)
    if requirement.specifier.contains(version, prereleases=True):
        return Check(name, OK, version)
    return Check(name, WARN, f"{version} is not {requirement.specifier}, which {_EXTRAS[extra]}", remedy)
