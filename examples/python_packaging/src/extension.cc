// What a library can show to Python through TVM-FFI, one of each kind.
#include <tvm/ffi/tvm_ffi.h>
#include <tvm_ffi_build/signature.h>

#include <cstdint>
#include <sstream>
#include <string>

namespace my_ffi_extension {

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;

// ---- An exported C symbol: found in the library by name, no registry involved -----------------------------------

bool IsFloat32Vector(ffi::TensorView x) {
  DLDataType type = x.dtype();
  return x.ndim() == 1 && type.code == kDLFloat && type.bits == 32 && type.lanes == 1;
}

// y = x + 1. Both tensors belong to the caller, from whatever library: numpy, torch, ...
void AddOne(ffi::TensorView x, ffi::TensorView y) {
  if (!IsFloat32Vector(x) || !IsFloat32Vector(y)) {
    TVM_FFI_THROW(TypeError) << "add_one takes one-dimensional float32 tensors";
  }
  if (x.size(0) != y.size(0)) {
    TVM_FFI_THROW(ValueError) << "add_one: x has " << x.size(0) << " elements, y has " << y.size(0);
  }
  if (x.device().device_type != kDLCPU || y.device().device_type != kDLCPU) {
    TVM_FFI_THROW(ValueError) << "add_one works on the CPU";
  }
  const auto* from = static_cast<const float*>(x.data_ptr());
  auto* to = static_cast<float*>(y.data_ptr());
  const int64_t from_stride = x.stride(0);
  const int64_t to_stride = y.stride(0);
  for (int64_t i = 0; i < x.size(0); ++i) {
    to[i * to_stride] = from[i * from_stride] + 1.0F;
  }
}

TVM_FFI_DLL_EXPORT_SIG(add_one, my_ffi_extension::AddOne, "x, y", "Set y to x + 1.");

// ---- Global functions: known to the process by their registered names -------------------------------------------

void RaiseError(ffi::String message) { TVM_FFI_THROW(RuntimeError) << message; }

// Strings and containers, both ways.
ffi::String Join(ffi::Array<ffi::String> words, ffi::String separator) {
  std::ostringstream joined;
  bool first = true;
  for (const ffi::String& word : words) {
    if (!first) joined << std::string(separator);
    joined << std::string(word);
    first = false;
  }
  return joined.str();
}

ffi::Map<ffi::String, int64_t> CountWords(ffi::String text) {
  ffi::Map<ffi::String, int64_t> counts;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    ffi::String key(word);
    counts.Set(key, counts.count(key) ? counts[key] + 1 : 1);
  }
  return counts;
}

ffi::Tuple<int64_t, int64_t> DivMod(int64_t a, int64_t b) {
  if (b == 0) TVM_FFI_THROW(ValueError) << "div_mod by zero";
  int64_t quotient = a / b;
  if (a % b != 0 && (a < 0) != (b < 0)) --quotient;  // round down, as Python does
  return ffi::Tuple<int64_t, int64_t>(quotient, a - quotient * b);
}

ffi::Map<ffi::String, ffi::Any> Invert(ffi::Map<ffi::String, ffi::String> names) {
  ffi::Map<ffi::String, ffi::Any> inverted;
  for (const auto& entry : names) inverted.Set(entry.second, entry.first);
  return inverted;
}

// A callback into Python. What it raises passes through here and comes out at the caller.
ffi::Array<ffi::Any> Transform(ffi::Function f, ffi::Array<ffi::Any> items) {
  ffi::Array<ffi::Any> results;
  for (const ffi::Any& item : items) results.push_back(f(item));
  return results;
}

// ---- A class ----------------------------------------------------------------------------------------------------

class IntPairObj : public ffi::Object {
 public:
  int64_t a;
  int64_t b;

  IntPairObj(int64_t a, int64_t b) : a(a), b(b) {}

  int64_t Sum() const { return a + b; }

  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("my_ffi_extension.IntPair", IntPairObj, ffi::Object);
};

class IntPair : public ffi::ObjectRef {
 public:
  IntPair(int64_t a, int64_t b) { data_ = ffi::make_object<IntPairObj>(a, b); }
  TVM_FFI_DEFINE_OBJECT_REF_METHODS_NULLABLE(IntPair, ffi::ObjectRef, IntPairObj);
};

IntPair Swapped(IntPair pair) { return IntPair(pair->b, pair->a); }

// Each with its signature in Python and its documentation. Those without "/" take keywords.
TVM_FFI_STATIC_INIT_BLOCK() {
  refl::GlobalDef()
      .def("my_ffi_extension.raise_error",
           TVM_FFI_SIG("message, /", "Raise a RuntimeError with this message.", RaiseError))
      .def("my_ffi_extension.join", TVM_FFI_SIG("words, separator=' '", "Join words with a separator.", Join))
      .def("my_ffi_extension.count_words", TVM_FFI_SIG("text, /", "Count the words of a text.", CountWords))
      .def("my_ffi_extension.div_mod", TVM_FFI_SIG("a, b, /", "Return quotient and remainder, rounded down.", DivMod))
      .def("my_ffi_extension.invert", TVM_FFI_SIG("names, /", "Swap the keys and values of a dict.", Invert))
      .def("my_ffi_extension.transform", TVM_FFI_SIG("f, items, /", "Call a function for each item.", Transform));
  refl::ObjectDef<IntPairObj>()
      .def(TVM_FFI_SIG("a, b", "Make a pair.", refl::init<int64_t, int64_t>()))
      .def_rw("a", &IntPairObj::a, "The first number.")
      .def_rw("b", &IntPairObj::b, "The second number.")
      .def("sum", &IntPairObj::Sum, "Return the sum of both numbers.")
      .def_static("swapped", TVM_FFI_SIG("pair", "Return a pair with the numbers swapped.", Swapped));
}

}  // namespace my_ffi_extension
