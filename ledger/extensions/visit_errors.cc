// Says where in a nested value an error came up.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/extra/visit_error_context.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/memory.h>
#include <tvm/ffi/object.h>
#include <tvm/ffi/reflection/registry.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>
#include <utility>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Array, ffi::Error, ffi::ObjectRef, ffi::Optional, ffi::String, ffi::VisitErrorContext;

class NodeObj : public ffi::Object {
 public:
  Array<Any> items;
  explicit NodeObj(Array<Any> items) : items(std::move(items)) {}
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("matrix.Node", NodeObj, ffi::Object);
};
class Node : public ObjectRef {
 public:
  explicit Node(Array<Any> items) { data_ = ffi::make_object<NodeObj>(std::move(items)); }
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NULLABLE(Node, ObjectRef, NodeObj);
};

Node Make(Array<Any> items) { return Node(items); }
int64_t Visit(Node node) {
  int64_t sum = 0;
  TVM_FFI_VISIT_BEGIN();
  for (const Any& item : node->items) {
    if (auto inner = item.as<Node>()) {
      sum += Visit(*inner);
    } else if (auto number = item.as<int64_t>()) {
      sum += *number;
    } else {
      TVM_FFI_THROW(ValueError) << "no number";
    }
  }
  TVM_FFI_VISIT_END(node);
  return sum;
}
String Where(Node root) {
  try {
    Visit(root);
  } catch (const Error& error) {
    Optional<VisitErrorContext> context = VisitErrorContext::TryGetFromError(error);
    if (!context.has_value()) return "unknown";
    std::string text;
    for (const auto& path : VisitErrorContext::FindAccessPaths(root, context.value())) {
      for (const auto& step : path->ToSteps()) {
        auto name = step->key.as<String>();
        text += "/" + (name ? std::string(*name) : std::to_string(step->key.cast<int64_t>()));
      }
    }
    return text;
  }
  return "none";
}

TVM_FFI_STATIC_INIT_BLOCK() { ffi::reflection::ObjectDef<NodeObj>(ffi::reflection::init(false)).def_ro("items", &NodeObj::items); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(make, Make);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(visit, Visit);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(where, Where);

}  // namespace
