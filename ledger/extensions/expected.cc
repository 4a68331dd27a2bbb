// Functions that return what they were asked for, or an error, and callers that look before they take.
#include <tvm/ffi/expected.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Error, ffi::Expected, ffi::Function, ffi::String;

Expected<int64_t> Half(int64_t number) {
  if (number % 2 != 0) return Error("ValueError", std::to_string(number) + " is odd", "");
  return number / 2;
}
String Quarter(int64_t number) {
  Expected<int64_t> half = Half(number);
  if (half.is_err()) return half.error().message();
  return std::to_string(Half(half.value()).value_or(-1));
}
String Called(Function f, int64_t number) {
  Expected<int64_t> result = f.CallExpected<int64_t>(number);
  if (result.is_ok()) return std::to_string(result.value());
  return result.error().kind() + ": " + result.error().message();
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(quarter, Quarter);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(called, Called);

}  // namespace
