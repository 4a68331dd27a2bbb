"""Loads the library from beside the runtime's package, where the install command has put it."""

import sysconfig

import numpy as np
import tvm_ffi

library = tvm_ffi.load_module(sysconfig.get_path("platlib") + "/my_ffi_cmake/libmy_ffi_cmake.so")
x = np.ones(2, np.float32)
library.scale(x, 3)
print(x)
