// Arrays, maps, tuples, variants and options of each other, taken, changed and given.
#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/map.h>
#include <tvm/ffi/container/shape.h>
#include <tvm/ffi/container/tuple.h>
#include <tvm/ffi/container/variant.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/optional.h>
#include <tvm/ffi/string.h>

#include <cstdint>
#include <string>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Array, ffi::Map, ffi::Optional, ffi::String, ffi::Tuple, ffi::Variant;

Array<Any> Reversed(Array<Any> items) { return Array<Any>(items.rbegin(), items.rend()); }
Array<Any> Edited(Array<Any> items) {
  items.push_back("last");
  items.insert(items.begin(), 0);
  items.erase(items.begin() + 1);
  items.Set(1, nullptr);
  items.pop_back();
  items.resize(items.size() + 1);
  return items;
}
int64_t Sum(Array<Array<int64_t>> rows) {
  int64_t sum = 0;
  for (const Array<int64_t>& row : rows) {
    for (int64_t number : row) sum += number;
  }
  return sum;
}
Map<String, int64_t> Counts(Array<String> words) {
  Map<String, int64_t> counts;
  for (const String& word : words) counts.Set(word, counts.Get(word).value_or(0) + 1);
  return counts;
}
Map<Any, Any> Inverted(Map<Any, Any> map) {
  Map<Any, Any> inverted;
  for (const auto& [key, value] : map) inverted.Set(value, key);
  return inverted;
}
// Enough for the hash table to grow, and to shrink.
int64_t Squares(int64_t number) {
  Map<int64_t, int64_t> squares;
  for (int64_t i = 0; i < number; ++i) squares.Set(i, i * i);
  for (int64_t i = 0; i < number; i += 2) squares.erase(i);
  int64_t sum = 0;
  for (const auto& entry : squares) sum += entry.second;
  return sum + static_cast<int64_t>(squares.size()) - squares.count(0);
}
Tuple<int64_t, String, Optional<double>> Swapped(Tuple<String, int64_t> pair) {
  return Tuple<int64_t, String, Optional<double>>(pair.get<1>(), pair.get<0>(), std::nullopt);
}
String Which(Variant<int64_t, String, Array<int64_t>> value) {
  if (std::optional<int64_t> number = value.as<int64_t>()) return "number " + std::to_string(*number);
  if (auto text = value.as<String>()) return "text " + std::string(*text);
  return "array of " + std::to_string(value.get<Array<int64_t>>().size());
}
Variant<int64_t, String> NumberOr(Optional<int64_t> number, String text) {
  if (number.has_value()) return number.value();
  return text;
}
Variant<Array<int64_t>, Map<String, int64_t>> Either(bool array) {
  if (array) return Array<int64_t>{1, 2};
  return Map<String, int64_t>{{"a", 1}};
}
Optional<Array<Optional<String>>> Filtered(Optional<Array<Optional<String>>> items) {
  if (!items.has_value()) return std::nullopt;
  Array<Optional<String>> rest;
  for (const Optional<String>& item : items.value()) {
    if (!item.has_value() || item.value().size() > 1) rest.push_back(item);
  }
  return rest;
}
ffi::Shape Doubled(ffi::Shape shape) {
  std::vector<int64_t> sizes(shape.begin(), shape.end());
  for (int64_t& size : sizes) size *= 2;
  return ffi::Shape(sizes);
}
Map<String, Any> Nested() {
  return {{"array", Array<Any>{1, "two", Array<Any>{}}}, {"map", Map<String, Any>{{"x", 1.5}}}, {"none", nullptr}};
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(reversed_array, Reversed);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(edited, Edited);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(sum, Sum);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(counts, Counts);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(inverted, Inverted);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(squares, Squares);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(swapped, Swapped);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(which, Which);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(number_or, NumberOr);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(either, Either);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(filtered, Filtered);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(doubled, Doubled);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(nested, Nested);

}  // namespace
