#include <tvm/ffi/tvm_ffi.h>

extern "C" int acme_add(int x, int y);

static int Add(int x) { return acme_add(x, 2); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(add, Add);
