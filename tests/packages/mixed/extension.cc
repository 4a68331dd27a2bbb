#include <pybind11/pybind11.h>
#include <tvm/ffi/tvm_ffi.h>

static int64_t AddTwo(int64_t x) { return x + 2; }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(add_two, AddTwo);

PYBIND11_MODULE(_mixed, m) { m.def("add_two", &AddTwo); }
