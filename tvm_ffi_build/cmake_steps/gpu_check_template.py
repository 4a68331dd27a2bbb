"""Part of the module beside a library with CUDA code: warns at the first call if no GPU of the machine runs the code.

:mod:`~tvm_ffi_build.cmake_steps.runtime_guard` writes what follows the constants, behind those of the library. It runs
without this package, on every Python, and the loader calls ``check_gpus``.
"""

import ctypes
import sys
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["check_gpus"]

LIBRARY = GPU_CODE = ""
FAILS_ON_GPUS: list[str] = []
FUNCTIONS: list[str] = []


# ---- From here on ----


def check_gpus(library: Any) -> None:
    # At the first call and not before: to start CUDA takes time, and a process that has started it must not be forked.
    checked: list[str] = []

    def checking(name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if not checked:
                checked.append(name)
                # From now on the runtime finds its own functions, which take less time.
                for function in FUNCTIONS:
                    delattr(library, function)
                _warn_without_gpu()
            return getattr(library, name)(*args)

        return call

    for name in FUNCTIONS:
        setattr(library, name, checking(name))


def _warn_without_gpu() -> None:
    found = _find_capabilities()
    if found and found <= set(FAILS_ON_GPUS):
        message = (
            f"the CUDA kernels of {LIBRARY} are compiled for {GPU_CODE}, "
            f"which no GPU of this machine runs (compute capability {', '.join(sorted(found))})"
        )
        warnings.warn(message, RuntimeWarning, stacklevel=3)


def _find_capabilities() -> set[str]:
    try:
        cuda = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        start, count_gpus = cuda.cuInit, cuda.cuDeviceGetCount
        get_gpu, ask = cuda.cuDeviceGet, cuda.cuDeviceGetAttribute
    except (OSError, AttributeError):
        return set()
    count, gpu, major, minor = (ctypes.c_int() for _ in range(4))
    if start(0) or count_gpus(ctypes.byref(count)):
        return set()
    found = set()
    for number in range(count.value):
        get_gpu(ctypes.byref(gpu), number)
        # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of the CUDA driver API
        ask(ctypes.byref(major), 75, gpu)
        ask(ctypes.byref(minor), 76, gpu)
        found.add(f"{major.value}.{minor.value}")
    return found
