#include <tvm/ffi/tvm_ffi.h>

#include <cstdint>

namespace {

// x *= factor, in place. The tensor belongs to the caller: numpy, torch, ...
void Scale(tvm::ffi::TensorView x, double factor) {
  DLDataType type = x.dtype();
  if (x.ndim() != 1 || type.code != kDLFloat || type.bits != 32 || type.lanes != 1) {
    TVM_FFI_THROW(TypeError) << "scale takes a one-dimensional float32 tensor";
  }
  auto* data = static_cast<float*>(x.data_ptr());
  for (int64_t i = 0; i < x.size(0); ++i) data[i * x.stride(0)] *= static_cast<float>(factor);
}

}  // namespace

TVM_FFI_DLL_EXPORT_TYPED_FUNC(scale, Scale);
