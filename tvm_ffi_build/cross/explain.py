"""Why builds fail for other platforms that do not fail here, in one line each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..platforms import WINDOWS

if TYPE_CHECKING:
    from ..errors import TvmFfiBuildError
    from .targets import Target

__all__ = ["explained"]

_HINTS = (
    (
        re.compile(r"Exec format error|cannot execute binary file|execve.*ENOEXEC|: not found$"),
        (
            "the build runs a program that it has made for that platform; build such programs for this machine, in a "
            "CMake project of their own"
        ),
    ),
    (
        re.compile(r"[Cc]ould not resolve host|Failed to (clone|checkout)|[Ff]ailed to download|[Cc]ouldn't resolve"),
        (
            "the project fetches sources, and the network cannot be reached; fetch them before, and name their folder "
            "with -C cmake.define.FETCHCONTENT_SOURCE_DIR_<NAME>=<folder>"
        ),
    ),
)
_CXX_OF_RUNTIME = re.compile(r"undefined symbol: .*tvm::ffi::(?P<name>[\w:]+)")


def explained(error: TvmFfiBuildError, target: Target | None) -> TvmFfiBuildError:
    """Return the error, with what has to be done where its platform is the reason."""
    if target is None or not isinstance(error, BuildError):
        return error
    text = str(error)
    missing = _CXX_OF_RUNTIME.search(text)
    if target.system == WINDOWS and missing:
        return BuildError(
            f"{text}; tvm_ffi.dll has tvm::ffi::{missing['name']} under the name of Microsoft's compiler, to "
            "which no other can link; call what is registered instead (ffi::Function::GetGlobal), or build on Windows"
        )
    for pattern, hint in _HINTS:
        if pattern.search(text):
            return BuildError(f"{text}; {hint}")
    return error
