// Numbers of any size, in and out.
#include <tvm/ffi/big_int.h>
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/function.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
using ffi::Array, ffi::BigInt;

BigInt Factorial(int64_t number) {
  BigInt result(1);
  for (int64_t i = 2; i <= number; ++i) result *= BigInt(i);
  return result;
}
BigInt Add(BigInt left, BigInt right) { return left + right; }
Array<BigInt> Both(BigInt number) { return {number, -number}; }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(factorial, Factorial);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(add, Add);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(both, Both);

}  // namespace
