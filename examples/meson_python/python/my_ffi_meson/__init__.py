"""An extension that meson-python builds."""

from tvm_ffi.libinfo import load_lib_module

__all__ = ["scale"]

scale = load_lib_module("my-ffi-meson", "my_ffi_meson").scale
