// A kind of module of our own, for the runtime and Python to call.
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/memory.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>
#include <utility>

namespace {

namespace ffi = tvm::ffi;
using ffi::Array, ffi::Function, ffi::Module, ffi::Optional, ffi::String;

class MultiplierObj : public ffi::ModuleObj {
 public:
  explicit MultiplierObj(int64_t factor) : factor_(factor) {}

  const char* kind() const final { return "multiplier"; }
  int GetPropertyMask() const final { return Module::kRunnable; }
  Optional<Function> GetFunction(const String& name) final {
    if (name != "times") return std::nullopt;
    int64_t factor = factor_;
    return Function::FromTyped([factor](int64_t x) { return x * factor; });
  }
  Optional<String> GetFunctionDoc(const String& name) final {
    if (name != "times") return std::nullopt;
    return String("Multiply by " + std::to_string(factor_) + ".");
  }
  Array<String> GetWriteFormats() const final { return {"text"}; }
  String InspectSource(const String& format) const final { return "x * " + std::to_string(factor_); }

 private:
  int64_t factor_;
};

Module Make(int64_t factor) { return Module(ffi::make_object<MultiplierObj>(factor)); }
String Kind(Module module) { return module->kind(); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(make, Make);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(kind_of, Kind);

}  // namespace
