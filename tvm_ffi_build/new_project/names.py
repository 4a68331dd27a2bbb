"""The name of a new project: one that PyPI, Python, C++, CMake and Windows all take."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
import sysconfig
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from ..errors import NewProjectError
from ..pyproject.valid_names import is_distribution_name

__all__ = ["ProjectNames", "check_name"]

_CXX_KEYWORDS = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype
    default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int
    long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires return restrict short signed sizeof static static_assert static_cast struct switch
    template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void
    volatile wchar_t while xor xor_eq
    """.split()  # noqa: SIM905  (read as words)
)
# Macros (the first two of compilers in their default mode), namespaces, and functions of C, whose names no namespace
# can have (C++ standard, [extern.names]); of these, what a project may well be called.
_C_TAKEN = frozenset(
    """
    linux unix errno stdin stdout stderr posix std
    abort abs accept access acos alarm asin atan bind cbrt ceil close connect cos cosh div dup erf exit exp exp2
    fabs fdim floor fma fmax fmin fmod fork free gamma hypot index kill link listen log log2 logb malloc nan nice pause
    pipe pow raise rand read remove rename rewind round scalb send sin sinh sleep sqrt stat swab sync system tan tanh
    tgamma times timezone trunc unlink wait write
    """.split()  # noqa: SIM905
)
# A target of this name collides with one that CMake makes itself (policy CMP0037), or is linked to in place of a
# system's library.
_CMAKE_TARGETS = frozenset(
    "all c clean depend dl edit_cache help install m package pthread rebuild_cache rt test util".split()  # noqa: SIM905
)
_WINDOWS_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")
# Of the runtime and this package, and what a new project needs itself: under such a name it could not be installed.
_TAKEN = frozenset(
    """
    apache_tvm_ffi tvm tvm_ffi tvm_ffi_build cmake dlpack mypy nanobind ninja numpy packaging pip pytest
    scikit_build_core setuptools tests torch
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class ProjectNames:
    """What a project is called, and where.

    Attributes:
        distribution: The name that pip knows, normalized (PEP 503).
        package: The name that Python imports, which is also the CMake target, the C++ namespace and the prefix of what
            is registered.

    """

    distribution: str
    package: str


def check_name(name: str, *, may_be_installed: bool = False) -> ProjectNames:
    """Return the names of a project.

    >>> check_name("My.Kernels")
    ProjectNames(distribution='my-kernels', package='my_kernels')

    Args:
        name: As somebody has written it.
        may_be_installed: Whether a package of that name may be there already, since it may be the project itself.

    Raises:
        NewProjectError: The name cannot be used; the message says where it fails.

    """
    if not is_distribution_name(name):
        raise NewProjectError(
            f"{name!r} is not a valid project name: use letters from a to z, digits and, between them, hyphens",
            f"write {_suggest_name(name)}",
        )
    distribution = canonicalize_name(name)
    package = distribution.replace("-", "_")
    if not package.isidentifier():
        raise NewProjectError(
            f"{name!r} cannot be imported: Python and C++ names start with a letter", f"write my-{distribution}"
        )
    owner = _find_owner(package)
    if owner is not None:
        raise NewProjectError(
            f"{name!r} is taken: {package} is {owner}", f"write {_suggest_distribution(distribution)}"
        )
    origin = None if may_be_installed else _find_installed(package)
    if origin is not None:
        raise NewProjectError(
            f"{name!r} is taken: there is a package {package} already, {origin}",
            f"write {_suggest_distribution(distribution)}, or pass --force if that is this very project",
        )
    return ProjectNames(distribution, package)


def _suggest_distribution(distribution: str) -> str:
    return f"{distribution}{'-2' if distribution.endswith('kernels') else '-kernels'}"


def _find_owner(package: str) -> str | None:
    """Return what an identifier stands for already, or None."""
    owners = (
        (keyword.iskeyword(package), "a keyword of Python"),
        (package in _CXX_KEYWORDS, "a keyword of C++"),
        (package in _standard_modules(), "a module of Python's standard library"),
        (package in _C_TAKEN, "a function or macro of C, or a namespace of C++"),
        (package in _CMAKE_TARGETS, "a target of CMake, or a library of the system"),
        (_WINDOWS_DEVICES.fullmatch(package) is not None, "a device on Windows, where no directory can have its name"),
        (package in _TAKEN, "what projects like this one need"),
    )
    return next((owner for taken, owner in owners if taken), None)


def _standard_modules() -> frozenset[str]:
    listed = getattr(sys, "stdlib_module_names", None)  # from 3.10 on (bpo-42955)
    if listed is None:
        folder = Path(sysconfig.get_path("stdlib"))
        listed = {*sys.builtin_module_names, *(path.stem for path in folder.iterdir())}
    return frozenset(name.lower() for name in listed)


def _find_installed(package: str) -> str | None:
    """Return where a package of this name is, or None. It is not imported."""
    with suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(package)
        # A folder that merely has the name has no origin.
        return spec.origin if spec is not None else None
    return None


def _suggest_name(name: str) -> str:
    """Return a name that can be used and looks like another one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    similar = "-".join(words)
    return similar if words and words[0][0].isalpha() and _find_owner("_".join(words)) is None else "my-kernels"
