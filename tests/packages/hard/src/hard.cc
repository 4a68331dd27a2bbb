// What is different from one C++ library and system to the next: exceptions, threads, thread-local data, alignment.
#include <atomic>
#include <thread>
#include <vector>

#include "caught.h"
extern "C" {
#ifdef _WIN32
__declspec(dllimport)
#endif
int helper_scale(int x);
}

namespace ffi = tvm::ffi;

class Aligned : public ffi::Object {
 public:
  alignas(64) char data[256];
  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("hard.Aligned", Aligned, ffi::Object);
};

// Make and free objects, in turns; return how many lie where they must not.
static int64_t Churn(int64_t count) {
  int64_t wrong = 0;
  std::vector<ffi::ObjectPtr<Aligned>> objects;
  for (int64_t i = 0; i < count; ++i) {
    objects.push_back(ffi::make_object<Aligned>());
    if (reinterpret_cast<uintptr_t>(objects.back()->data) % 64 != 0) ++wrong;
    if (objects.size() > 100) objects.clear();
  }
  return wrong;
}

static thread_local int64_t counter = 0;

// Count in four threads, each in a variable of its own.
static int64_t Threads(int64_t count) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&sum, count] {
      for (int64_t j = 0; j < count; ++j) ++counter;
      sum += counter;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return sum + counter;
}

static int64_t Scale(int64_t x) { return helper_scale(static_cast<int>(x)); }
static void Raise() { throw std::runtime_error("raised"); }

TVM_FFI_DLL_EXPORT_TYPED_FUNC(caught, Caught);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(churn, Churn);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(threads, Threads);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(scale, Scale);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(raise_, Raise);
TVM_FFI_STATIC_INIT_BLOCK() { ffi::reflection::ObjectDef<Aligned>(); }
