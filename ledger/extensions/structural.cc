// Structural equality and hashes, and graphs as JSON, of values and of a class of its own.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/map.h>
#include <tvm/ffi/extra/serialization.h>
#include <tvm/ffi/extra/structural_equal.h>
#include <tvm/ffi/extra/structural_hash.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/memory.h>
#include <tvm/ffi/object.h>
#include <tvm/ffi/reflection/registry.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <utility>

namespace {

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;
using ffi::Any, ffi::Array, ffi::ObjectRef, ffi::String;

class TreeObj : public ffi::Object {
 public:
  String label;
  Array<ObjectRef> children;
  int64_t note = 0;

  TreeObj() = default;
  TreeObj(String label, Array<ObjectRef> children, int64_t note)
      : label(std::move(label)), children(std::move(children)), note(note) {}

  static constexpr TVMFFISEqHashKind _type_s_eq_hash_kind = kTVMFFISEqHashKindTreeNode;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("matrix.Tree", TreeObj, ffi::Object);
};

class Tree : public ObjectRef {
 public:
  Tree(String label, Array<ObjectRef> children, int64_t note) {
    data_ = ffi::make_object<TreeObj>(std::move(label), std::move(children), note);
  }
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NULLABLE(Tree, ObjectRef, TreeObj);
};

Tree Make(String label, Array<ObjectRef> children, int64_t note) { return Tree(label, children, note); }
bool Equal(Any left, Any right) { return ffi::StructuralEqual::Equal(left, right); }
bool SameHash(Any left, Any right) { return ffi::StructuralHash::Hash(left) == ffi::StructuralHash::Hash(right); }
Any Copied(Any value) { return ffi::FromJSONGraph(ffi::ToJSONGraph(value)); }
String Label(Tree tree) { return tree->label; }
int64_t Size(Tree tree) {
  int64_t size = 1;
  for (const ObjectRef& child : tree->children) size += Size(ffi::Any(child).cast<Tree>());
  return size;
}

TVM_FFI_STATIC_INIT_BLOCK() {
  refl::ObjectDef<TreeObj>()
      .def_ro("label", &TreeObj::label)
      .def_ro("children", &TreeObj::children)
      .def_ro("note", &TreeObj::note, refl::AttachFieldFlag::SEqHashIgnore());
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(make, Make);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(equal, Equal);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(same_hash, SameHash);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(copied, Copied);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(label, Label);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(size, Size);

}  // namespace
