// Throws errors of all kinds, through functions, methods and callbacks, and does not ask anything of them.
#include <tvm/ffi/any.h>
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Array, ffi::Function, ffi::String;

void ThrowValue(int64_t number) { TVM_FFI_THROW(ValueError) << "the number " << number << " is wrong"; }
void ThrowOwn() { TVM_FFI_THROW(MatrixError) << "of a kind that Python learns"; }
void ThrowUnknown() { TVM_FFI_THROW(StrangeError) << "of a kind that nobody knows"; }
void Check(int64_t number) { TVM_FFI_ICHECK_EQ(number, 42) << "not the answer"; }
void ThrowStandard() { throw std::out_of_range("a standard exception"); }
void ThrowMade(std::string kind, std::string message) { throw ffi::Error(kind, message, ""); }
int64_t Cast(Any value) { return value.cast<int64_t>(); }
Any At(Array<Any> array, int64_t index) { return array[index]; }
void Through(Function f) { f(); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(throw_value, ThrowValue);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(throw_own, ThrowOwn);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(throw_unknown, ThrowUnknown);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(check, Check);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(throw_standard, ThrowStandard);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(throw_made, ThrowMade);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(cast, Cast);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(at, At);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(through, Through);

}  // namespace
