// Functions with all kinds of plain arguments and results, exported and registered.
#include <tvm/ffi/any.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/dtype.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/reflection/registry.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::AnyView, ffi::Bytes, ffi::Optional, ffi::String;

int64_t Add(int64_t a, int64_t b) { return a + b; }
double Half(double x) { return x / 2; }
bool Not(bool x) { return !x; }
void Nothing() {}
String Twice(String text) { return std::string(text) + std::string(text); }
std::string Shout(const std::string& text) { return text + "!"; }
Bytes Reversed(Bytes bytes) {
  std::string content(bytes.data(), bytes.size());
  return Bytes(std::string(content.rbegin(), content.rend()));
}
int64_t OrElse(Optional<int64_t> number, int64_t otherwise) { return number.value_or(otherwise); }
Optional<String> NonEmpty(String text) {
  if (text.size() == 0) return std::nullopt;
  return text;
}
Optional<double> SquareRootOf(Optional<double> x, Optional<bool> negative) {
  if (!x.has_value() || x.value() < 0) return std::nullopt;
  double root = 1;
  for (int i = 0; i < 60; ++i) root = (root + x.value() / root) / 2;
  return negative.value_or(false) ? -root : root;
}
Any Same(Any value) { return value; }
DLDataType Vector(DLDataType type, int64_t lanes) {
  type.lanes = static_cast<uint16_t>(lanes);
  return type;
}
DLDevice Next(DLDevice device) {
  ++device.device_id;
  return device;
}
int32_t IndexOfType(AnyView value) { return value.type_index(); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(add, Add);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(half, Half);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(invert, Not);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(nothing, Nothing);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(twice, Twice);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(shout, Shout);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(reversed_bytes, Reversed);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(or_else, OrElse);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(non_empty, NonEmpty);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(square_root_of, SquareRootOf);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(same, Same);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(vector, Vector);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(next_device, Next);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(index_of_type, IndexOfType);

TVM_FFI_STATIC_INIT_BLOCK() {
  tvm::ffi::reflection::GlobalDef()
      .def("matrix.add", Add, "Add two numbers.")
      .def("matrix.same", Same)
      .def_packed("matrix.count", [](ffi::PackedArgs arguments, Any* result) { *result = arguments.size(); });
}

}  // namespace
