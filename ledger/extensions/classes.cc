// Classes with fields, methods, constructors, defaults and a base class, held by each other.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/memory.h>
#include <tvm/ffi/object.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/reflection/registry.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <utility>

namespace {

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;
using ffi::Any, ffi::Array, ffi::ObjectRef, ffi::Optional, ffi::String;

int64_t alive = 0;

class ShapeObj : public ffi::Object {
 public:
  String name;
  int64_t sides = 0;
  Optional<ObjectRef> inside;

  ShapeObj() { ++alive; }
  explicit ShapeObj(String name) : name(std::move(name)) { ++alive; }
  ShapeObj(const ShapeObj& other) : ffi::Object(other), name(other.name), sides(other.sides), inside(other.inside) {
    ++alive;
  }
  ~ShapeObj() { --alive; }

  String Describe(String adjective) const {
    return std::string(adjective) + " " + std::string(name) + (inside.has_value() ? " around another" : "");
  }

  static constexpr bool _type_mutable = true;
  static constexpr uint32_t _type_child_slots = 2;
  TVM_FFI_DECLARE_OBJECT_INFO("matrix.Shape", ShapeObj, ffi::Object);
};

class Shape : public ObjectRef {
 public:
  explicit Shape(String name) { data_ = ffi::make_object<ShapeObj>(std::move(name)); }
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NULLABLE(Shape, ObjectRef, ShapeObj);
};

class CircleObj : public ShapeObj {
 public:
  double radius = 1;
  bool filled = false;
  Any tag;
  Array<Any> history;

  CircleObj() = default;
  CircleObj(String name, double radius) : ShapeObj(std::move(name)), radius(radius) {}

  double Area() const { return radius * radius * 3; }
  void Grow(double by) {
    history.push_back(radius);
    radius += by;
  }

  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("matrix.Circle", CircleObj, ShapeObj);
};

class Circle : public Shape {
 public:
  Circle(String name, double radius) : Shape(ffi::make_object<CircleObj>(std::move(name), radius)) {}
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NULLABLE(Circle, Shape, CircleObj);
};

Circle MakeCircle(String name, double radius) { return Circle(std::move(name), radius); }
Circle Unit() { return Circle("unit", 1); }
bool IsCircle(ObjectRef object) { return object.as<CircleObj>() != nullptr; }
bool IsShape(ObjectRef object) { return object->IsInstance<ShapeObj>(); }
double RadiusOf(Circle circle) { return circle->radius; }
Circle Copy(Circle circle) {
  return Circle(ffi::make_object<CircleObj>(*circle.get()));
}
int64_t Alive() { return alive; }

TVM_FFI_STATIC_INIT_BLOCK() {
  refl::ObjectDef<ShapeObj>()
      .def(refl::init<String>())
      .def_rw("name", &ShapeObj::name, "What it is called.")
      .def_ro("sides", &ShapeObj::sides, refl::DefaultValue(0))
      .def_rw("inside", &ShapeObj::inside)
      .def("describe", &ShapeObj::Describe, "Say what it is.");
  refl::ObjectDef<CircleObj>()
      .def_rw("radius", &CircleObj::radius, refl::DefaultValue(1.0))
      .def_rw("filled", &CircleObj::filled)
      .def_rw("tag", &CircleObj::tag)
      .def_ro("history", &CircleObj::history)
      .def("area", &CircleObj::Area)
      .def("grow", &CircleObj::Grow)
      .def_static("unit", Unit);
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(make_circle, MakeCircle);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(is_circle, IsCircle);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(is_shape, IsShape);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(radius_of, RadiusOf);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(copy, Copy);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(unit, Unit);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(alive, Alive);

}  // namespace
