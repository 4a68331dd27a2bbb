"""TVM-FFI and pybind11 in one package."""

from tvm_ffi.libinfo import load_lib_module

from ._bindings import counts

__all__ = ["counts", "scale"]

scale = load_lib_module("my-ffi-pybind11", "my_ffi_pybind11").scale
