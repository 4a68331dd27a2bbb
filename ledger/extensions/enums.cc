// An enumeration of C++ that others can see, with attributes.
#include <tvm/ffi/enum.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/reflection/enum_def.h>
#include <tvm/ffi/reflection/registry.h>
#include <tvm/ffi/string.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;
using ffi::ObjectRef, ffi::String;

class ColorObj : public ffi::EnumObj {
 public:
  ColorObj() = default;
  TVM_FFI_DECLARE_OBJECT_INFO("matrix.Color", ColorObj, ffi::EnumObj);
};

// What looks an entry up was called otherwise at first.
template <typename T>
auto Find(const String& name, int) -> decltype(T::template _GetByStrIndex<T>(name)) {
  return T::template _GetByStrIndex<T>(name);
}
template <typename T>
auto Find(const String& name, ...) -> decltype(T::template Get<T>(name)) {
  return T::template Get<T>(name);
}

ObjectRef Color(String name) { return Find<ColorObj>(name, 0); }
bool IsColor(ObjectRef object) { return object.as<ColorObj>() != nullptr; }

TVM_FFI_STATIC_INIT_BLOCK() {
  refl::ObjectDef<ColorObj>(refl::init(false));
  refl::EnumDef<ColorObj>("red").set_attr("wavelength", 700);
  refl::EnumDef<ColorObj>("blue").set_attr("wavelength", 450);
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(color, Color);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(is_color, IsColor);

}  // namespace
