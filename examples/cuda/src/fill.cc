#include "launch.h"

TVM_FFI_EMBED_CUBIN(fill);

static void Fill(tvm::ffi::TensorView x, double value) {
  static auto kernel = TVM_FFI_EMBED_CUBIN_GET_KERNEL(fill, "fill");
  Launch(kernel, x, static_cast<float>(value));
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(fill, Fill);
