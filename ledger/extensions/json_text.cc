// Calls the JSON reader and writer of the runtime.
#include <tvm/ffi/extra/json.h>
#include <tvm/ffi/function.h>

#include <string>

namespace {

namespace ffi = tvm::ffi;
namespace json = tvm::ffi::json;
using ffi::Any, ffi::String;

String Compact(String text) { return json::Stringify(json::Parse(text)); }
String Indented(String text, int indent) { return json::Stringify(json::Parse(text), indent); }
String Problem(String text) {
  String problem;
  json::Value value = json::Parse(text, &problem);
  return value == nullptr ? problem : String("none");
}
Any Read(String text) { return json::Parse(text); }
String Written(ffi::Map<Any, Any> value) { return json::Stringify(value); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(compact, Compact);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(indented, Indented);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(problem, Problem);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(read, Read);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(written, Written);

}  // namespace
