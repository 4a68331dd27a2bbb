"""Prints what a release registers for others to find by name, as JSON: global functions and type keys.

``python registry.py FOLDER``, where FOLDER holds ``tvm_ffi/``, in a process of its own. Type keys are asked for one by
one, as an extension asks: the first releases have no function that lists them.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
from pathlib import Path

__all__ = ["main"]

# What the runtime's own tests use is left out: names that begin with "testing".
_NAME = re.compile(rb"ffi\.[\w.]+")


class _ByteArray(ctypes.Structure):
    _fields_ = (("data", ctypes.c_char_p), ("size", ctypes.c_size_t))


def main() -> None:
    """Answer for the folder on the command line."""
    sys.path[0] = sys.argv[1]
    import tvm_ffi  # noqa: PLC0415

    functor = tvm_ffi.get_global_func("ffi.FunctionListGlobalNamesFunctor")()
    functions = [str(functor(number)) for number in range(functor(-1))]
    path = Path(sys.argv[1], "tvm_ffi", "lib", "libtvm_ffi.so")
    library = ctypes.CDLL(str(path))
    # Not the library's bytes alone: a compiler may make short strings part of its instructions.
    files = [path, *(path.parent.parent / "include").rglob("*.h"), *path.parent.parent.rglob("*.py")]
    texts = (file.read_bytes() for file in files)
    candidates = {match[0] for text in texts for match in _NAME.finditer(text)}
    index = ctypes.c_int32()
    keys = [
        key.decode()
        for key in candidates
        if library.TVMFFITypeKeyToIndex(ctypes.byref(_ByteArray(key, len(key))), ctypes.byref(index)) == 0
    ]
    found = {
        "functions": sorted(name for name in functions if name.startswith("ffi.")),
        "type_keys": sorted(keys),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
