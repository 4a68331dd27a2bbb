// Looks into errors of its own and of others: what caused them, and what was attached to them.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Array, ffi::Error, ffi::Function, ffi::ObjectRef, ffi::String;

Error Make(std::string message, std::optional<Error> cause, std::optional<ObjectRef> context) {
  return Error("ValueError", std::move(message), "", std::move(cause), std::move(context));
}
String Describe(const Error& error) {
  std::string text = error.kind() + "(" + error.message();
  if (std::optional<Error> cause = error.cause_chain()) text += " because of " + std::string(Describe(*cause));
  if (std::optional<ObjectRef> context = error.extra_context()) {
    text += " with " + std::to_string((*context).as<ffi::ArrayObj>()->size());
  }
  return text + ")";
}
// Thrown and caught here.
String Own() {
  try {
    throw Make("outer", Make("inner", std::nullopt, std::nullopt), Array<int64_t>{1, 2, 3});
  } catch (const Error& error) {
    return Describe(error);
  }
}
// From a function of others, which may be Python's.
String Caught(Function f) {
  try {
    f();
  } catch (const Error& error) {
    return Describe(error);
  }
  return "none";
}
void Throw(String message) { throw Make(message, Make("the cause", std::nullopt, std::nullopt), Array<int64_t>{7}); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(own, Own);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(caught, Caught);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(throw_with_cause, Throw);

}  // namespace
