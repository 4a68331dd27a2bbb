"""This project's own files, and the releases that its tests build against."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tvm_ffi_build.runtime import OLDEST_SUPPORTED

from .processes import run

ROOT = Path(__file__).resolve().parents[2]


EXAMPLE = ROOT / "examples" / "python_packaging"


# The releases that can be built against, without those that were yanked.
RUNTIMES = (
    OLDEST_SUPPORTED,
    "0.1.8.post1",
    "0.1.8.post2",
    "0.1.9",
    "0.1.10",
    "0.1.11",
    "0.1.12",
    "0.1.13.post2",
    "0.1.13.post3",
    "0.1.14.post0",
    "0.1.14.post1",
    "0.1.15.post1",
    "0.1.15.post2",
)


LIBRARY_SOURCE = """#include <tvm/ffi/tvm_ffi.h>
static int One() { return 1; }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(one, One)
"""
# The same function, where the headers for C++ do not matter: they take a second to compile.
PLAIN_LIBRARY_SOURCE = """#include <tvm/ffi/c_api.h>
extern "C" TVM_FFI_DLL_EXPORT int __tvm_ffi_one(void*, const TVMFFIAny*, int32_t, TVMFFIAny* result) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = 1;
  return 0;
}
"""


def source_files() -> list[Path]:
    """Return the files of this project: those that git knows, or all of an unpacked sdist."""
    if (ROOT / ".git").exists():
        listed = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
        return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    made = re.compile(
        r"(^|/)(\.[^/]*_cache|\.hypothesis|\.venv|__pycache__|[^/]*\.egg-info)/|^(build|dist|wheelhouse)/"
    )
    names = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file())
    return [ROOT / name for name in names if not made.search(name)]


def copy_project(destination: Path) -> Path:
    """Copy the files of this project, without what lies about in the checkout."""
    for path in source_files():
        target = destination / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return destination
