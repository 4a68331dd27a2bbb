"""TVM-FFI and nanobind in one package, and in one library."""

import tvm_ffi

from ._both import __file__ as library
from ._both import counts

__all__ = ["counts", "scale"]

scale = tvm_ffi.load_module(library).scale
