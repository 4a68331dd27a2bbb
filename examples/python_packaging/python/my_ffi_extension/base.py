"""Loads the library that is installed with this package."""

from __future__ import annotations

from tvm_ffi.libinfo import load_lib_module

# By the name of the distribution, not of the import: it is looked up in the installed files.
LIB = load_lib_module("my-ffi-extension", "my_ffi_extension")
