// Lists and dictionaries that are changed in place, by C++ and by Python.
#include <tvm/ffi/container/dict.h>
#include <tvm/ffi/container/list.h>
#include <tvm/ffi/container/map.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/string.h>

#include <cstdint>

namespace {

namespace ffi = tvm::ffi;
using ffi::Any, ffi::Array, ffi::Dict, ffi::List, ffi::Map, ffi::String;

List<Any> MakeList(int64_t size) {
  List<Any> list;
  for (int64_t i = 0; i < size; ++i) list.push_back(i);
  return list;
}
void Append(List<Any> list, Any item) { list.push_back(item); }
void Edit(List<Any> list) {
  list.insert(list.begin(), "first");
  list.pop_back();
  list.Set(1, nullptr);
}
int64_t Sum(List<int64_t> list) {
  int64_t sum = 0;
  for (int64_t number : list) sum += number;
  return sum;
}
Dict<String, Any> MakeDict(int64_t size) {
  Dict<String, Any> dict;
  for (int64_t i = 0; i < size; ++i) dict.Set(std::to_string(i), i);
  return dict;
}
void Put(Dict<String, Any> dict, String key, Any value) { dict.Set(key, value); }
bool Drop(Dict<String, Any> dict, String key) {
  bool had = dict.count(key) != 0;
  dict.erase(key);
  return had;
}
Array<Any> Frozen(List<Any> list) { return Array<Any>(list.begin(), list.end()); }
List<List<Any>> Twice(List<Any> list) { return {list, list}; }
// Both exist only in C++.
int64_t Inside(int64_t size) {
  List<int64_t> list;
  Dict<int64_t, int64_t> dict;
  for (int64_t i = 0; i < size; ++i) {
    list.push_back(i);
    dict.Set(i, list[i] * 2);
  }
  return dict[size - 1];
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(make_list, MakeList);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(append, Append);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(edit, Edit);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(sum, Sum);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(make_dict, MakeDict);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(put, Put);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(drop, Drop);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(frozen, Frozen);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(twice, Twice);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(inside, Inside);

}  // namespace
