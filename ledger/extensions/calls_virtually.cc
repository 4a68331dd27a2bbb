// Calls modules of others by their virtual methods alone, of which no symbol tells.
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/string.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Function, ffi::Module, ffi::Optional, ffi::String;

Any Call(Module module, String name, Any argument) {
  Optional<Function> f = module->GetFunction(name);
  if (!f.has_value()) return String("none");
  return f.value()(argument);
}
String Kind(Module module) { return module->kind(); }
int64_t Double(int64_t x) { return 2 * x; }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(call, Call);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(kind_of, Kind);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(twice, Double);

}  // namespace
