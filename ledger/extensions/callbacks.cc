// Calls Python, also from where Python has called, and catches what it raises.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/rvalue_ref.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::AnyView, ffi::Array, ffi::Function, ffi::Optional, ffi::String, ffi::TypedFunction;

Array<Any> Each(Function f, Array<Any> items) {
  Array<Any> results;
  for (const Any& item : items) results.push_back(f(item));
  return results;
}
int64_t Fold(TypedFunction<int64_t(int64_t, int64_t)> f, Array<int64_t> items) {
  int64_t sum = 0;
  for (int64_t item : items) sum = f(sum, item);
  return sum;
}
String Greet(TypedFunction<String(String, Optional<String>)> f, String name) { return f(name, std::nullopt); }
void Times(TypedFunction<void()> f, int64_t times) {
  for (int64_t i = 0; i < times; ++i) f();
}
Function Adder(int64_t number) {
  return Function::FromTyped([number](int64_t x) { return x + number; });
}
Function Composed(Function f, Function g) {
  return Function::FromPacked([f, g](ffi::PackedArgs arguments, Any* result) {
    Any between;
    g.CallPacked(arguments, &between);
    *result = f(between);
  });
}
Any Global(std::string name, Any argument) {
  Optional<Function> f = Function::GetGlobal(name);
  if (!f.has_value()) return String("none");
  return Function::GetGlobalRequired(name)(argument);
}
void Register(std::string name, Function f) { Function::SetGlobal(name, f, true); }

// What an error of Python says, to C++ that catches it.
String Caught(Function f) {
  try {
    f();
  } catch (const ffi::Error& error) {
    return std::string(error.kind()) + ": " + std::string(error.message());
  } catch (const std::exception&) {
    return "another exception";
  }
  return "none";
}
Any OrElse(Function f, Any otherwise) {
  try {
    return f();
  } catch (const ffi::Error& error) {
    return otherwise;
  }
}
String Translated(Function f) {
  try {
    f();
  } catch (ffi::Error& error) {
    TVM_FFI_THROW(ValueError) << "instead of " << error.kind();
  }
  return "none";
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(each, Each);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(fold, Fold);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(greet, Greet);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(times, Times);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(adder, Adder);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(composed, Composed);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(global_function, Global);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(register_function, Register);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(caught, Caught);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(or_else, OrElse);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(translated, Translated);

}  // namespace
