// Calls modules of others by what the runtime exports for that.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/string.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Array, ffi::Function, ffi::Module, ffi::Optional, ffi::String;

Any Call(Module module, String name, Any argument) {
  Optional<Function> f = module->GetFunction(name, true);
  if (!f.has_value()) return String("none");
  return f.value()(argument);
}
bool Has(Module module, String name) { return module->ImplementsFunction(name, true); }
bool HasDoc(Module module, String name) { return module->GetFunctionDoc(name, true).has_value(); }
Any LoadAndCall(String path, String name, Any argument) {
  Module module = Module::LoadFromFile(path);
  Any result = Call(module, name, argument);
  return result;
}
int64_t Double(int64_t x) { return 2 * x; }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(call, Call);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(has, Has);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(has_doc, HasDoc);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(load_and_call, LoadAndCall);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(twice, Double);

}  // namespace
