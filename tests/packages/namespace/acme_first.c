#include <tvm/ffi/c_api.h>

int acme_add(int x, int y);

TVM_FFI_DLL_EXPORT int __tvm_ffi_add(void* self, const TVMFFIAny* args, int32_t count, TVMFFIAny* result) {
  result->type_index = kTVMFFIInt;
  result->zero_padding = 0;
  result->v_int64 = acme_add((int)args[0].v_int64, 1);
  return 0;
}
