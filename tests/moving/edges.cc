// What the page on moving from pybind11 and nanobind says of the edges of functions, one each.
#include <tvm/ffi/extra/stl.h>
#include <tvm/ffi/reflection/overload.h>
#include <tvm/ffi/tvm_ffi.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace ffi = tvm::ffi;

static int64_t Sum(std::vector<int64_t> numbers) {
  int64_t sum = 0;
  for (int64_t number : numbers) sum += number;
  return sum;
}
TVM_FFI_DLL_EXPORT_TYPED_FUNC(sum, Sum);

static std::map<std::string, int64_t> Lengths(std::map<std::string, std::string> words) {
  std::map<std::string, int64_t> lengths;
  for (const auto& [key, word] : words) lengths[key] = static_cast<int64_t>(word.size());
  return lengths;
}
TVM_FFI_DLL_EXPORT_TYPED_FUNC(lengths, Lengths);

static int64_t OrSeven(std::optional<int64_t> number) { return number.value_or(7); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(or_seven, OrSeven);

static int64_t OrEight(ffi::Optional<int64_t> number) { return number.value_or(8); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(or_eight, OrEight);

static void OutOfRange() { throw std::out_of_range("too far"); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(out_of_range, OutOfRange);

static ffi::Any Same(ffi::Any value) { return value; }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(same, Same);

static std::string Kind(ffi::Any value) {
  if (value.as<int64_t>()) return "int";
  if (value.as<ffi::String>()) return "str";
  return "other";
}
TVM_FFI_DLL_EXPORT_TYPED_FUNC(kind_of, Kind);

// A name that modules have for themselves.
static std::string KindItself() { return "mine"; }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(kind, KindItself);

static void Call(ffi::Function f) { f(); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(call, Call);

static int64_t CallFromThread(ffi::TypedFunction<int64_t(int64_t)> f) {
  int64_t answer = 0;
  std::thread([&] { answer = f(41); }).join();
  return answer;
}
TVM_FFI_DLL_EXPORT_TYPED_FUNC(call_from_thread, CallFromThread);

static void Sleep(int64_t milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(sleep, Sleep);

static int64_t Dimensions(ffi::TensorView x) { return x.ndim(); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(dimensions, Dimensions);

static int64_t Strides(ffi::TensorView x) { return x.stride(0); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(strides, Strides);

static ffi::Optional<ffi::Tensor> kept;
static void Keep(ffi::Tensor x) { kept = x; }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(keep, Keep);
static ffi::Tensor Kept() { return kept.value(); }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(kept, Kept);

class TallyObj : public ffi::Object {
 public:
  int64_t count = 0;

  int64_t AddNumber(int64_t number) { return count += number; }
  int64_t AddWord(ffi::String word) { return count += static_cast<int64_t>(word.size()); }

  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("edges.Tally", TallyObj, ffi::Object);
};

TVM_FFI_STATIC_INIT_BLOCK() {
  tvm::ffi::reflection::OverloadObjectDef<TallyObj>()
      .def(tvm::ffi::reflection::init<>())
      .def("add", &TallyObj::AddNumber)
      .def("add", &TallyObj::AddWord);
}
