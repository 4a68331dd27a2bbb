"""Part of the namespace package acme, which has no __init__.py."""

from tvm_ffi.libinfo import load_lib_module

first = load_lib_module("acme-kernels", "acme_first")
second = load_lib_module("acme-kernels", "acme_second")
