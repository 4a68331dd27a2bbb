// Reads and sets fields by reflection, of classes that it knows by name alone.
#include <tvm/ffi/function.h>
#include <tvm/ffi/memory.h>
#include <tvm/ffi/object.h>
#include <tvm/ffi/reflection/accessor.h>
#include <tvm/ffi/reflection/registry.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>

namespace {

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;
using ffi::Any, ffi::ObjectRef, ffi::String;

class PointObj : public ffi::Object {
 public:
  int64_t x = 0;
  String label;

  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("matrix.Point", PointObj, ffi::Object);
};

ObjectRef Make() { return ObjectRef(ffi::make_object<PointObj>()); }
Any Get(ObjectRef object, std::string field) {
  return refl::FieldGetter(object->GetTypeKey(), field.c_str())(object);
}
void Set(ObjectRef object, std::string field, Any value) {
  refl::FieldSetter(object->GetTypeKey(), field.c_str())(object, value);
}
int64_t Fields(ObjectRef object) {
  int64_t count = 0;
  refl::ForEachFieldInfo(TVMFFIGetTypeInfo(object->type_index()), [&](const TVMFFIFieldInfo*) { ++count; });
  return count;
}

TVM_FFI_STATIC_INIT_BLOCK() {
  refl::ObjectDef<PointObj>().def_rw("x", &PointObj::x).def_rw("label", &PointObj::label);
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(make, Make);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(get, Get);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(set, Set);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(fields, Fields);

}  // namespace
