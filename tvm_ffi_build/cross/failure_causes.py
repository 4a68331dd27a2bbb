"""Why builds fail for other platforms that do not fail here, in one line each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..platforms.systems import WINDOWS

if TYPE_CHECKING:
    from ..errors import TvmFfiBuildError
    from .targets import Target

__all__ = ["explain_failure"]

_RUNS = re.compile(r"Exec format error|cannot execute binary file")
_TRIES = re.compile(r"invoked in cross-compiling mode")
_FETCHES = re.compile(r"Could not resolve host|Failed to (clone|checkout)|[Ff]ailed to download|error: downloading '")
# The symbol of a C++ function of the runtime, as linkers of Windows show it.
_CXX_OF_RUNTIME = re.compile(r"undefined symbol: .*?tvm::ffi::(?P<name>[\w:]+)")


def explain_failure(error: TvmFfiBuildError, target: Target | None) -> TvmFfiBuildError:
    """Return the error, with what has to be done where its platform is the reason, or that nothing can be fetched."""
    hint = _find_hint(error.output, target) if isinstance(error, BuildError) else ""
    return error.with_remedy(hint) if hint else error


def _find_hint(text: str, target: Target | None) -> str:
    if _FETCHES.search(text):
        return (
            "the project fetches sources; fetch them where there is a network, and pass their directory with "
            "-C cmake.define.FETCHCONTENT_SOURCE_DIR_<NAME>=<directory>"
        )
    if target is None:
        return ""
    if _RUNS.search(text):
        return (
            "the build runs a program that it has made for that platform; build such programs for this machine, in a "
            "CMake project of their own"
        )
    if _TRIES.search(text):
        return "give them their values for that platform with -C cmake.define.<NAME>=<value>"
    missing = _CXX_OF_RUNTIME.search(text)
    if target.system == WINDOWS and missing:
        return (
            f"tvm_ffi.dll has tvm::ffi::{missing['name']} under the name of Microsoft's compiler, to which no other "
            "can link; call what is registered instead (ffi::Function::GetGlobal), or build on Windows"
        )
    return ""
