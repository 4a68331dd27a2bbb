#include "launch.h"

TVM_FFI_EMBED_CUBIN(scale);

static void Scale(tvm::ffi::TensorView x, double value) {
  static auto kernel = TVM_FFI_EMBED_CUBIN_GET_KERNEL(scale, "scale");
  Launch(kernel, x, static_cast<float>(value));
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(scale, Scale);
