"""Loads the library that is built with this package, in a wheel, an editable install or a build tree."""

# tvm-ffi-stubgen(begin): import-section
from __future__ import annotations

from typing import TYPE_CHECKING

# tvm-ffi-stubgen(end)

import ctypes
import importlib.util
import sys
from importlib.machinery import SourcelessFileLoader
from pathlib import Path
from typing import cast

try:
    import tvm_ffi
except ImportError as error:
    if sys.implementation.name == "cpython":
        raise
    raise ImportError(f"@DISTRIBUTION@ and apache-tvm-ffi need CPython, not {sys.implementation.name}") from error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["LIB"]

# tvm-ffi-stubgen(begin): library/@TARGET@
if TYPE_CHECKING:

    class Library(tvm_ffi.Module):
        """The functions that the library exports."""


# tvm-ffi-stubgen(end)

_PACKAGE = __name__.rpartition(".")[0]
_FILES = {"win32": "@TARGET@.dll", "darwin": "lib@TARGET@.dylib"}
_FILE = _FILES.get(sys.platform, "lib@TARGET@.so")
_ADVICE = "python -m pip install --force-reinstall @DISTRIBUTION@"


def _folders() -> Iterator[Path]:
    # Asked for an extension module of this name, an editable install that rebuilds on import does so.
    spec = importlib.util.find_spec(f"{_PACKAGE}.{_FILE.partition('.')[0]}")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent
    # Beside this file, and in an editable install where the built files are.
    yield from map(Path, sys.modules[_PACKAGE].__path__)
    # In a source tree: built in place, or by "cmake -B build"; some generators have a folder for each configuration.
    for folder in list(Path(__file__).resolve().parents)[1:4]:
        if (folder / "pyproject.toml").is_file():
            for built in (folder, folder / "build"):
                yield built
                yield from filter(Path.is_dir, (built / name for name in ("Release", "RelWithDebInfo", "Debug")))


def _read_guard(folder: Path) -> dict[str, Any]:
    # Written when the library was built, if it was by tvm-ffi-build. What came later is not in it.
    path = folder / "_@TARGET@_runtime.py"
    compiled = path.with_suffix(".pyc")  # where only compiled files are shipped ("compileall -b")
    known: dict[str, Any] = {}
    try:
        if path.is_file():
            exec(compile(path.read_bytes(), str(path), "exec"), known)  # noqa: S102
        elif compiled.is_file():
            code = SourcelessFileLoader(path.stem, str(compiled)).get_code(path.stem)
            exec(cast("Any", code), known)  # noqa: S102
        else:
            return {"WORKS_WITH": "", "FAILS_ON": {}}
        if isinstance(known["WORKS_WITH"], str) and isinstance(known["FAILS_ON"], dict):
            return known
        reason = "its contents are of other types"
    except Exception as error:  # noqa: BLE001  (whatever a damaged file gives)
        reason = f"{type(error).__name__}: {error}"
    raise ImportError(f"{path} is damaged ({reason}); install it again: {_ADVICE}")


def _refuse_known_failures(known: dict[str, Any]) -> None:
    # A local version such as 0.1.12+cu130 is the release with another build (PEP 440).
    reason = known["FAILS_ON"].get(tvm_ffi.__version__.partition("+")[0])
    if reason is not None:
        wanted = f"'apache-tvm-ffi{known['WORKS_WITH']}'"
        raise ImportError(
            f"@DISTRIBUTION@ does not work with apache-tvm-ffi {tvm_ffi.__version__} ({reason}); "
            f"run: {sys.executable} -m pip install {wanted}"
        )


def _load() -> Any:
    searched = list(dict.fromkeys(_folders()))
    for folder in searched:
        if (folder / _FILE).is_file():
            known = _read_guard(folder)
            _refuse_known_failures(known)
            path = str(folder / _FILE)
            if sys.platform == "win32":
                # The runtime looks nowhere for what the library needs of its own. This looks beside the library and in
                # the folders that were added for it, as a repaired wheel does; what is loaded is then found by name.
                ctypes.CDLL(path)
            library = cast("Any", tvm_ffi).load_module(path)
            if "check_gpus" in known:  # of a library with CUDA code
                known["check_gpus"](library)
            return library
    archive = next(filter(Path.is_file, Path(__file__).parents), None)
    if archive is not None:
        raise ImportError(f"{_FILE} cannot be loaded from the archive {archive}; unpack it, or install the package")
    folders = ", ".join(map(str, searched))
    raise ImportError(f"{_FILE} is not in {folders}; install it again: {_ADVICE}")


LIB = cast("Library", _load())
