// Copies, prints, compares and hashes values with all that is in them.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/extra/dataclass.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/string.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::String;

Any Copied(Any value) { return ffi::DeepCopy(value); }
String Printed(Any value) { return ffi::ReprPrint(value); }
bool Equal(Any left, Any right) { return ffi::RecursiveEq(left, right); }
bool Less(Any left, Any right) { return ffi::RecursiveLt(left, right) && !ffi::RecursiveGe(left, right); }
int64_t Hash(Any value) { return ffi::RecursiveHash(value); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(copied, Copied);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(printed, Printed);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(equal, Equal);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(less, Less);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(hash, Hash);

}  // namespace
