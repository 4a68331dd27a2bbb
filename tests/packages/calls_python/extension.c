#include <Python.h>
#include <tvm/ffi/c_api.h>

TVM_FFI_DLL_EXPORT int __tvm_ffi_add_two(void* self, const TVMFFIAny* args, int32_t count, TVMFFIAny* result) {
  PyErr_CheckSignals();
  result->type_index = kTVMFFIInt;
  result->zero_padding = 0;
  result->v_int64 = args[0].v_int64 + 2;
  return 0;
}
