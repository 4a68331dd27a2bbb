"""CUDA kernels, embedded in a library for every Python."""

from tvm_ffi.libinfo import load_lib_module

__all__ = ["fill", "scale"]

_LIBRARY = load_lib_module("my-ffi-cuda", "my_ffi_cuda")

fill = _LIBRARY.fill
scale = _LIBRARY.scale
