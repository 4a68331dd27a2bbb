"""Runs what the example's loader and guard do before a function of ``tvm_ffi`` is called, and stands in for those.

``python load_without_runtime.py SITE libtvm_ffi.so``, with the example's wheel unpacked in SITE, is for Pythons for
which the runtime has no wheel. Eight threads import the loader at once. Then a release is added to the guard, and the
loader has to refuse it.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "my_ffi_extension"
LOADER = f"{PACKAGE}._library"
# A release of the runtime that the guard lists from then on.
REFUSED = "0.0.1"


def main() -> None:
    """Load, then be refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("runtime", type=Path)
    args = parser.parse_args()
    package = args.site / PACKAGE
    _stand_in(args.runtime, package)

    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(importlib.import_module(LOADER).LIB.__tvm_ffi_add_one))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(threads)
    assert len({ctypes.cast(symbol, ctypes.c_void_p).value for symbol in found}) == 1

    with (package / f"_{PACKAGE}_runtime.py").open("a", encoding="utf-8") as guard:
        guard.write(f'FAILS_ON["{REFUSED}"] = "it lacks a function"\n')
    sys.modules.pop(LOADER)
    sys.modules["tvm_ffi"].__dict__["__version__"] = REFUSED
    reason = _refusal()
    assert f"does not work with apache-tvm-ffi {REFUSED} (it lacks a function)" in reason, reason


def _refusal() -> str:
    try:
        importlib.import_module(LOADER)
    except ImportError as error:
        return str(error)
    return "nothing"


def _stand_in(runtime: Path, package: Path) -> None:
    """Put modules in the places of the runtime's and of the package's own, which would call the runtime."""
    ctypes.CDLL(str(runtime), mode=ctypes.RTLD_GLOBAL)
    tvm_ffi, parent = ModuleType("tvm_ffi"), ModuleType(PACKAGE)
    tvm_ffi.__dict__.update(__version__="not a release", load_module=ctypes.CDLL)
    parent.__path__ = [str(package)]
    sys.modules.update({"tvm_ffi": tvm_ffi, PACKAGE: parent})


if __name__ == "__main__":
    main()
