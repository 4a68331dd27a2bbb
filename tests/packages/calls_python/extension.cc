#include <Python.h>
#include <tvm/ffi/tvm_ffi.h>

static int64_t AddTwo(int64_t x) {
  PyErr_CheckSignals();
  return x + 2;
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(add_two, AddTwo);
