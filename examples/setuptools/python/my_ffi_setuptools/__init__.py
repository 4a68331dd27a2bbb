"""An extension that setuptools builds."""

from tvm_ffi.libinfo import load_lib_module

__all__ = ["scale"]

scale = load_lib_module("my-ffi-setuptools", "my_ffi_setuptools").scale
