// Attaches attributes to types, and reads them, of types that have them and of types that have not.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/memory.h>
#include <tvm/ffi/object.h>
#include <tvm/ffi/reflection/accessor.h>
#include <tvm/ffi/reflection/registry.h>
#include <tvm/ffi/string.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;
using ffi::Any, ffi::AnyView, ffi::Function, ffi::ObjectRef;

class AppleObj : public ffi::Object {
 public:
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("matrix.Apple", AppleObj, ffi::Object);
};
class PearObj : public ffi::Object {
 public:
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("matrix.Pear", PearObj, ffi::Object);
};
class StoneObj : public ffi::Object {
 public:
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("matrix.Stone", StoneObj, ffi::Object);
};

int64_t Describe(ObjectRef, int64_t weight) { return weight * 2; }

Any Made(int64_t which) {
  if (which == 0) return ObjectRef(ffi::make_object<AppleObj>());
  if (which == 1) return ObjectRef(ffi::make_object<PearObj>());
  return ObjectRef(ffi::make_object<StoneObj>());
}
Any Price(ObjectRef object) {
  static refl::TypeAttrColumn prices("__matrix_price__");
  return prices[object->type_index()];
}
Any Weighed(ObjectRef object, int64_t weight) {
  static refl::TypeAttrColumn functions("__matrix_weigh__");
  AnyView found = functions[object->type_index()];
  if (found == nullptr) return nullptr;
  return found.cast<Function>()(object, weight);
}

TVM_FFI_STATIC_INIT_BLOCK() {
  refl::ObjectDef<AppleObj>();
  refl::ObjectDef<PearObj>();
  refl::ObjectDef<StoneObj>();
  refl::TypeAttrDef<AppleObj>().attr("__matrix_price__", 3);
  refl::TypeAttrDef<PearObj>().attr("__matrix_price__", 4).def("__matrix_weigh__", Describe);
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(made, Made);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(price, Price);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(weighed, Weighed);

}  // namespace
