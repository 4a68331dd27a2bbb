// Asks where two values differ.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/extra/structural_equal.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Optional;

int64_t Differ(Any left, Any right) {
  Optional<ffi::reflection::AccessPathPair> where = ffi::StructuralEqual::GetFirstMismatch(left, right);
  if (!where.has_value()) return -1;
  return where.value().get<0>().defined() && where.value().get<1>().defined();
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(differ, Differ);

}  // namespace
