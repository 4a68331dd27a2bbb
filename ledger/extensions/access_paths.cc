// Makes access paths for others, and reads those that others have made.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/reflection/access_path.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>

namespace {

namespace ffi = tvm::ffi;
using ffi::String, ffi::reflection::AccessPath, ffi::reflection::AccessStep;

AccessPath Make(String name, int64_t index) { return AccessPath::Root()->Attr(name)->ArrayItem(index)->MapItem("key"); }
String Describe(AccessPath path) {
  std::string text;
  for (const AccessStep& step : path->ToSteps()) {
    text += "/" + std::to_string(static_cast<int>(step->kind));
    if (auto name = step->key.as<String>()) text += ":" + std::string(*name);
    if (auto index = step->key.as<int64_t>()) text += ":" + std::to_string(*index);
  }
  return text;
}
bool Equal(AccessPath left, AccessPath right) { return left->PathEqual(right); }
bool IsPrefix(AccessPath left, AccessPath right) { return left->IsPrefixOf(right); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(make, Make);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(describe, Describe);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(equal, Equal);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(is_prefix, IsPrefix);

}  // namespace
