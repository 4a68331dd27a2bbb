// Tensors of others as views and as objects, tensors of our own, shapes, and the environment's allocator.
#include <tvm/ffi/container/shape.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/extra/c_env_api.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

namespace ffi = tvm::ffi;
using ffi::Optional, ffi::Shape, ffi::Tensor, ffi::TensorView;

int64_t allocated = 0;

struct Allocator {
  void AllocData(DLTensor* tensor) {
    tensor->data = std::malloc(ffi::GetDataSize(*tensor));
    ++allocated;
  }
  void FreeData(DLTensor* tensor) {
    std::free(tensor->data);
    --allocated;
  }
};

float* At(const TensorView& x, int64_t i, int64_t j) {
  char* start = static_cast<char*>(x.data_ptr()) + x.byte_offset();
  return reinterpret_cast<float*>(start) + i * x.stride(0) + j * x.stride(1);
}

void Transpose(TensorView from, TensorView to) {
  if (from.ndim() != 2 || from.size(0) != to.size(1) || from.size(1) != to.size(0)) {
    TVM_FFI_THROW(ValueError) << "shapes do not fit";
  }
  for (int64_t i = 0; i < from.size(0); ++i) {
    for (int64_t j = 0; j < from.size(1); ++j) *At(to, j, i) = *At(from, i, j);
  }
}
Tensor Filled(Shape shape, double value) {
  Tensor tensor = Tensor::FromNDAlloc(Allocator(), shape, DLDataType{kDLFloat, 32, 1}, DLDevice{kDLCPU, 0});
  for (int64_t i = 0; i < tensor.numel(); ++i) static_cast<float*>(tensor.data_ptr())[i] = static_cast<float>(value);
  return tensor;
}
Tensor Same(Tensor tensor) { return tensor; }
Shape ShapeOf(Tensor tensor) { return Shape(tensor.shape()); }
int64_t Elements(Optional<TensorView> tensor) { return tensor.has_value() ? tensor.value().numel() : -1; }
int64_t References(Optional<Tensor> tensor) { return tensor.has_value() ? tensor.value().use_count() : 0; }
bool Contiguous(Tensor tensor) { return tensor.IsContiguous(); }
DLDataType TypeOf(TensorView tensor) { return tensor.dtype(); }
// Through DLPack and back, as to another library.
Tensor Exported(Tensor tensor) { return Tensor::FromDLPackVersioned(tensor.ToDLPackVersioned()); }
Tensor ExportedAsBefore(Tensor tensor) { return Tensor::FromDLPack(tensor.ToDLPack()); }
Tensor Kept(Optional<Tensor> tensor) {
  static Optional<Tensor> kept;
  if (tensor.has_value()) kept = tensor;
  Tensor given = kept.value();
  if (!tensor.has_value()) kept = std::nullopt;
  return given;
}
int64_t Allocated() { return allocated; }
bool HasStream() { return TVMFFIEnvGetStream(kDLCPU, 0) == nullptr; }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(transpose, Transpose);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(filled, Filled);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(same, Same);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(shape_of, ShapeOf);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(elements, Elements);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(references, References);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(contiguous, Contiguous);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(type_of, TypeOf);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(exported, Exported);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(exported_as_before, ExportedAsBefore);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(kept, Kept);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(allocated, Allocated);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(no_stream, HasStream);

}  // namespace
