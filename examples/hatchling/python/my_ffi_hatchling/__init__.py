"""An extension that hatchling builds."""

from tvm_ffi.libinfo import load_lib_module

__all__ = ["scale"]

scale = load_lib_module("my-ffi-hatchling", "my_ffi_hatchling").scale
