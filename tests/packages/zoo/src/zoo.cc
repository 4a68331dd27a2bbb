// One of each kind of thing that can be registered, for the stub generator.
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/extra/stl.h>
#include <tvm/ffi/reflection/overload.h>
#include <tvm/ffi/tvm_ffi.h>

#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace zoo {

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;
using ffi::Any, ffi::Array, ffi::Dict, ffi::Function, ffi::List, ffi::Map, ffi::ObjectRef, ffi::Optional, ffi::String,
    ffi::Tensor, ffi::TensorView, ffi::Tuple, ffi::TypedFunction, ffi::Variant;

// ---- Classes ------------------------------------------------------------------------------------------------------

#define ZOO_CLASS(Name, Parent, Key)                                        \
  static constexpr bool _type_mutable = true;                               \
  TVM_FFI_DECLARE_OBJECT_INFO(Key, Name##Obj, Parent##Obj);                 \
  }                                                                         \
  ;                                                                         \
  class Name : public Parent {                                              \
   public:                                                                  \
    Name() : Parent(ffi::UnsafeInit{}) { data_ = ffi::make_object<Name##Obj>(); } \
    TVM_FFI_DEFINE_OBJECT_REF_METHODS_NOTNULLABLE(Name, Parent, Name##Obj);

using ObjectRefObj = ffi::Object;

class AnimalObj : public ffi::Object {
 public:
  String name;
  int64_t legs = 4;
  String Speak(int64_t times) const { return std::string(static_cast<size_t>(times), '?'); }
  ZOO_CLASS(Animal, ObjectRef, "zoo.Animal")
};

class DogObj : public AnimalObj {
 public:
  Optional<Animal> friend_;
  double weight = 1.5;
  ZOO_CLASS(Dog, Animal, "zoo.Dog")
};

class PuppyObj : public DogObj {
 public:
  bool is_asleep = false;
  ZOO_CLASS(Puppy, Dog, "zoo.young.Puppy")
};

class KittenObj : public AnimalObj {
 public:
  Array<Map<String, Optional<int64_t>>> toys;
  ZOO_CLASS(Kitten, Animal, "zoo.young.Kitten")
};

class CageObj : public ffi::Object {
 public:
  List<int64_t> sizes;
  Dict<String, ObjectRef> inside;
  Variant<int64_t, String> number = int64_t(0);
  Any anything;
  Tuple<int64_t, String> label = Tuple<int64_t, String>(0, "");
  Function callback;
  DLDataType dtype{kDLFloat, 32, 1};
  DLDevice device{kDLCPU, 0};
  ffi::Bytes raw = ffi::Bytes("");
  Optional<Tensor> weights;
  ZOO_CLASS(Cage, ObjectRef, "zoo.Cage")
};

// Named like types of Python, with members named so too.
class listObj : public ffi::Object {
 public:
  int64_t int_ = 1;
  String str_;
  Array<int64_t> list_;
  int64_t Count() const { return int_; }
  ZOO_CLASS(list, ObjectRef, "zoo.list")
};

class KeepersObj : public ffi::Object {
 public:
  Optional<Animal> Animal_;
  Optional<Animal> favourite;
  int64_t from = 1;
  int64_t age = 2;
  int64_t Lambda() const { return 3; }
  int64_t Import() const { return 4; }
  ZOO_CLASS(Keepers, ObjectRef, "zoo.Keepers")
};

class ManyInitsObj : public ffi::Object {
 public:
  int64_t a = 0;
  String b;
  ManyInitsObj() = default;
  explicit ManyInitsObj(int64_t a) : a(a) {}
  explicit ManyInitsObj(String b) : b(b) {}
  int64_t Add(int64_t x) const { return a + x; }
  String AddText(String x) const { return std::string(b) + std::string(x); }
  static int64_t Twice(int64_t x) { return 2 * x; }
  static String TwiceText(String x) { return std::string(x) + std::string(x); }
  ZOO_CLASS(ManyInits, ObjectRef, "zoo.ManyInits")
};

class OptionsObj : public ffi::Object {
 public:
  int64_t required;
  int64_t count = 3;
  String mode = "fast";
  bool strict = true;
  double rate = 0.5;
  int64_t hidden = 9;
  ZOO_CLASS(Options, ObjectRef, "zoo.Options")
};

#define ZOO_NODE(Name)                                 \
  class Name##Obj : public ffi::Object {               \
   public:                                             \
    int64_t value = 0;                                 \
    int64_t Get() const { return value; }              \
    ZOO_CLASS(Name, ObjectRef, "zoo.nodes." #Name)     \
  };

ZOO_NODE(N01) ZOO_NODE(N02) ZOO_NODE(N03) ZOO_NODE(N04) ZOO_NODE(N05) ZOO_NODE(N06) ZOO_NODE(N07) ZOO_NODE(N08)
ZOO_NODE(N09) ZOO_NODE(N10) ZOO_NODE(N11) ZOO_NODE(N12) ZOO_NODE(N13) ZOO_NODE(N14) ZOO_NODE(N15) ZOO_NODE(N16)

// ---- Functions ----------------------------------------------------------------------------------------------------

template <typename T>
T Same(T x) {
  return x;
}

int64_t Area(int64_t width, int64_t height) { return width * height; }

#define ZOO_SAME(name, ...) .def("zoo.same." #name, Same<__VA_ARGS__>)

TVM_FFI_STATIC_INIT_BLOCK() {
  refl::ObjectDef<AnimalObj>()
      .def(refl::init<>())
      .def_rw("name", &AnimalObj::name, "Der Name, zum Beispiel \"Größe\" \\ 日本.")
      .def_ro("legs", &AnimalObj::legs, "How many legs.\n\nNot to be changed.")
      .def("speak", &AnimalObj::Speak, "Make a noise.\n\n\\param times How often.\n\\return The noise.");
  refl::ObjectDef<DogObj>()
      .def(refl::init<>())
      .def_rw("friend", &DogObj::friend_)
      .def_rw("weight", &DogObj::weight)
      .def("speak", &AnimalObj::Speak, "Bark.\n\n\\param times How often.");
  refl::ObjectDef<PuppyObj>().def(refl::init<>()).def_rw("is_asleep", &PuppyObj::is_asleep);
  refl::ObjectDef<KittenObj>().def(refl::init<>()).def_rw("toys", &KittenObj::toys);
  refl::ObjectDef<CageObj>()
      .def(refl::init<>())
      .def_rw("sizes", &CageObj::sizes)
      .def_rw("inside", &CageObj::inside)
      .def_rw("number", &CageObj::number)
      .def_rw("anything", &CageObj::anything)
      .def_rw("label", &CageObj::label)
      .def_rw("callback", &CageObj::callback)
      .def_rw("dtype", &CageObj::dtype)
      .def_rw("device", &CageObj::device)
      .def_rw("raw", &CageObj::raw)
      .def_rw("weights", &CageObj::weights);
  refl::ObjectDef<listObj>()
      .def(refl::init<>())
      .def_rw("int", &listObj::int_)
      .def_rw("str", &listObj::str_)
      .def_rw("Sequence", &listObj::list_)
      .def("count", &listObj::Count);
  refl::ObjectDef<KeepersObj>()
      .def(refl::init<>())
      .def_rw("from", &KeepersObj::from, refl::init(false))  // the runtime cannot take it by that name either
      .def_rw("age", &KeepersObj::age)
      .def_rw("Animal", &KeepersObj::Animal_, refl::init(false))
      .def_rw("favourite", &KeepersObj::favourite, refl::init(false))
      .def("lambda", &KeepersObj::Lambda)
      .def("import_", &KeepersObj::Import);
  refl::OverloadObjectDef<ManyInitsObj>()
      .def(refl::init<int64_t>())
      .def(refl::init<String>())
      .def_ro("a", &ManyInitsObj::a)
      .def_ro("b", &ManyInitsObj::b)
      .def("add", &ManyInitsObj::Add)
      .def("add", &ManyInitsObj::AddText)
      .def_static("twice", &ManyInitsObj::Twice)
      .def_static("twice", &ManyInitsObj::TwiceText);
  refl::ObjectDef<OptionsObj>()
      .def_rw("required", &OptionsObj::required)
      .def_rw("count", &OptionsObj::count, refl::default_value(3))
      .def_rw("mode", &OptionsObj::mode, refl::default_value("fast"), refl::kw_only(true))
      .def_rw("strict", &OptionsObj::strict, refl::default_value(true), refl::kw_only(true))
      .def_rw("rate", &OptionsObj::rate, refl::default_value(0.5))
      .def_ro("hidden", &OptionsObj::hidden, refl::init(false));

#define ZOO_REGISTER(Name) \
  refl::ObjectDef<Name##Obj>().def(refl::init<>()).def_rw("value", &Name##Obj::value).def("get", &Name##Obj::Get);
  ZOO_REGISTER(N01) ZOO_REGISTER(N02) ZOO_REGISTER(N03) ZOO_REGISTER(N04) ZOO_REGISTER(N05) ZOO_REGISTER(N06)
  ZOO_REGISTER(N07) ZOO_REGISTER(N08) ZOO_REGISTER(N09) ZOO_REGISTER(N10) ZOO_REGISTER(N11) ZOO_REGISTER(N12)
  ZOO_REGISTER(N13) ZOO_REGISTER(N14) ZOO_REGISTER(N15) ZOO_REGISTER(N16)

  refl::GlobalDef()
      ZOO_SAME(int_, int64_t) ZOO_SAME(bool_, bool) ZOO_SAME(float_, double) ZOO_SAME(str_, String)
      ZOO_SAME(std_string, std::string) ZOO_SAME(bytes_, ffi::Bytes) ZOO_SAME(any, Any) ZOO_SAME(object, ObjectRef)
      ZOO_SAME(tensor, Tensor) ZOO_SAME(dtype, DLDataType) ZOO_SAME(device, DLDevice) ZOO_SAME(shape, ffi::Shape)
      ZOO_SAME(function, Function) ZOO_SAME(module, ffi::Module) ZOO_SAME(animal, Animal) ZOO_SAME(dog, Dog)
      ZOO_SAME(array, Array<Any>) ZOO_SAME(array_int, Array<int64_t>) ZOO_SAME(array_array, Array<Array<String>>)
      ZOO_SAME(list, List<int64_t>) ZOO_SAME(map, Map<String, int64_t>) ZOO_SAME(map_any, Map<Any, Any>)
      ZOO_SAME(dict, Dict<String, Array<double>>) ZOO_SAME(opt_int, Optional<int64_t>)
      ZOO_SAME(opt_str, Optional<String>) ZOO_SAME(opt_animal, Optional<Animal>)
      ZOO_SAME(variant, Variant<int64_t, String, Array<int64_t>>) ZOO_SAME(tuple1, Tuple<int64_t>)
      ZOO_SAME(tuple3, Tuple<int64_t, String, Optional<double>>) ZOO_SAME(vector, std::vector<int64_t>)
      ZOO_SAME(std_tuple, std::tuple<int64_t, std::string>) ZOO_SAME(std_optional, std::optional<int64_t>)
      ZOO_SAME(callback, TypedFunction<int64_t(int64_t, String)>)
      ZOO_SAME(callback_any, TypedFunction<Any(Any)>)
      ZOO_SAME(callback_none, TypedFunction<void()>)
      ZOO_SAME(callback_tensor, TypedFunction<Tensor(Tensor)>)
      ZOO_SAME(nested, Map<String, Array<Optional<Tuple<int64_t, Animal>>>>)
      ZOO_SAME(puppy, Puppy) ZOO_SAME(kitten, Kitten) ZOO_SAME(cage, Cage)
      .def("zoo.area", Area, "The area.\n\n\\param width How wide.\n\\param height How high.")
      .def("zoo.nothing", []() {})
      .def_packed("zoo.packed", [](ffi::PackedArgs args, Any* ret) { *ret = args.size(); })
      .def("zoo.view", [](TensorView x, Optional<TensorView> y) { return x.ndim() + (y.has_value() ? 1 : 0); })
      .def("zoo.apply", [](TypedFunction<String(int64_t)> f, int64_t x) { return f(x); })
      // Named like types that the annotations of others need.
      .def("zoo.int", [](int64_t x) { return x; })
      .def("zoo.str", [](String x) { return x; })
      .def("zoo.Sequence", [](Array<int64_t> x) { return x; })
      .def("zoo.Any", [](Any x) { return x; })
      .def("zoo.Tensor", [](Tensor x) { return x; })
      // Named as no Python code can define them, or as a class is.
      .def("zoo.class", []() { return 1; })
      .def("zoo.with-hyphen", []() { return 1; })
      .def("zoo.Animal", [](String name) { return name; })
      .def("zoo.sub.deeper.one", []() { return 1; })
      .def("zoo.sub.deeper.two", [](Puppy x) { return x; })
      .def("zoo.sub.one", []() { return 1; })
      .def("zoo.sub.two", [](int64_t x, Optional<String> y) { return x; })
      .def("zoo.sub.three", [](Map<String, Variant<int64_t, Array<String>>> x) { return x; })
      .def("zoo.sub.up", [](Animal x) { return x; })
      .def("zoo.many_01", [](int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t g, int64_t h) {
        return a + b + c + d + e + f + g + h;
      });
}

int64_t Exported(int64_t x) { return x + 1; }
void Fill(TensorView x, double value) {
  for (int64_t i = 0; i < x.numel(); ++i) static_cast<float*>(x.data_ptr())[i] = static_cast<float>(value);
}

}  // namespace zoo

TVM_FFI_DLL_EXPORT_TYPED_FUNC(exported, zoo::Exported);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(fill, zoo::Fill);
TVM_FFI_DLL_EXPORT_TYPED_FUNC_DOC(fill, R"(Fill a tensor.

Args:
    x: What to fill.
    value (float): With what.
)");
