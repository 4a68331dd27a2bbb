"""Rules on libraries that other distributions bring: whether they are found, and whether they are there twice."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from ...external_libraries.presets import find_provider
from ...platforms.systems import MACOS, WINDOWS
from ...wheels.install_places import PACKAGES, place_of
from ..findings import WARNING, Problem, wheel_rule
from .loading import is_external, list_searched, list_users

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...external_libraries.presets import Provided
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

# As the OpenMP specification names a function of each implementation.
_OPENMP = "omp_get_num_threads"


@wheel_rule("P357", "a library of another package is not found", WARNING)
def left_out(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries of other packages to which no run path leads, and which no Python file loads before."""
    users = list_users(subject)
    for needed in contents.needed():
        provider = find_provider(needed)
        if provider is None or not provider.directories:
            continue
        is_required = contents.wheel.requires_one_of(provider.distributions)
        # Of others P353 tells.
        if not is_required and not is_external(subject, needed):
            continue
        named = _name_provider(contents, provider)
        for name, image in subject.images():
            if needed in image.libraries and not _is_provided(subject, contents, name, needed, provider, users):
                yield Problem(
                    f"{name} needs {needed} of {named}, but has no rpath to it, and no Python file of the wheel "
                    "loads it first: the import fails unless another package has loaded it",
                    _describe_remedy(subject, name, named, provider),
                    name,
                    (needed, *image.run_paths),
                )


def _name_provider(contents: WheelLibraries, provider: Provided) -> str:
    """Return the distribution that the wheel requires for a library, or else the first that brings it."""
    mentioned = contents.wheel.mentions(provider.distributions)
    return mentioned[0].name if mentioned else provider.distributions[0]


def _is_provided(
    subject: Subject,
    contents: WheelLibraries,
    name: str,
    needed: str,
    provider: Provided,
    users: Mapping[str, list[str]],
) -> bool:
    places = {f"{PACKAGES}/{directory}" for directory in provider.directories}
    if subject.platform != WINDOWS and not places.isdisjoint(list_searched(subject, name, users)):
        return True
    requires_torch = contents.wheel.requires_one_of(["torch"])
    return subject.preloading.loads(needed, requires_torch=requires_torch, on_windows=subject.platform == WINDOWS)


def _describe_remedy(subject: Subject, name: str, distribution: str, provider: Provided) -> str:
    if distribution == "torch":
        return "import torch before the library is loaded, in the package's __init__.py"
    if subject.platform == WINDOWS:
        return "load it by its path with ctypes.CDLL before, in the package's __init__.py"
    origin = "@loader_path" if subject.platform == MACOS else "$ORIGIN"
    is_for_new_cuda = distribution.startswith(("nvidia-", "cuda-")) and not distribution.endswith(("-cu11", "-cu12"))
    directory = next((one for one in provider.directories if "/cu13/" in one), "") if is_for_new_cuda else ""
    place = f"{PACKAGES}/{directory or provider.directories[0]}"
    path = posixpath.relpath(place, posixpath.dirname(place_of(name)))
    return (
        f"add {origin}/{path} to INSTALL_RPATH of its target, or load that library with ctypes.CDLL in the package's "
        "__init__.py"
    )


@wheel_rule("P358", "a second OpenMP runtime in addition to torch's", WARNING)
def second_openmp(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for an OpenMP runtime in a wheel that requires torch, which brings its own."""
    if not contents.wheel.mentions(["torch"]):
        return
    for name, image in subject.images():
        if any(symbol.name == _OPENMP for symbol in image.exports):
            yield Problem(
                f"{name} is an OpenMP runtime, and the wheel requires torch, which has its own: two of them in one "
                "process start twice as many threads as there are processors, and can hang or crash",
                "leave it out: tvm-ffi-build repair --preset openmp",
                name,
                (_OPENMP,),
            )


RULES = (left_out, second_openmp)
