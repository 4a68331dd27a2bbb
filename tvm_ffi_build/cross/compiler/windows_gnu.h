/* Included before everything else in C++ for Windows, where zig compiles against mingw's headers.
 *
 * tvm/ffi/memory.h takes _aligned_malloc and _aligned_free for MSVC alone; for any other compiler malloc or
 * posix_memalign, and free for both. Windows has no posix_memalign, and what stands in for it must not be given to free:
 * that goes well until the heap is looked at. So in that one header all three are those that belong together.
 */
#if !defined(TVM_FFI_BUILD_WINDOWS_GNU_H_) && defined(__cplusplus) && defined(_WIN32) && !defined(_MSC_VER) && \
    __has_include(<tvm/ffi/object.h>)
#define TVM_FFI_BUILD_WINDOWS_GNU_H_
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>
/* With it, all that memory.h itself includes: the names below change in its own text alone. */
#include <tvm/ffi/object.h>
#ifdef TVM_FFI_MEMORY_H_
#error "tvm/ffi/object.h includes tvm/ffi/memory.h, which tvm-ffi-build does not know; update tvm-ffi-build"
#endif

/* It writes two of them with std::. */
namespace std {
inline void* tvm_ffi_build_malloc(size_t size) { return ::_aligned_malloc(size, alignof(max_align_t)); }
inline void tvm_ffi_build_free(void* memory) { ::_aligned_free(memory); }
}  // namespace std
inline int tvm_ffi_build_memalign(void** result, std::size_t alignment, std::size_t size) {
  *result = ::_aligned_malloc(size, alignment);
  return *result == nullptr ? 12 /* ENOMEM */ : 0;
}
#pragma push_macro("malloc")
#pragma push_macro("free")
#pragma push_macro("posix_memalign")
#define malloc tvm_ffi_build_malloc
#define free tvm_ffi_build_free
#define posix_memalign tvm_ffi_build_memalign
#include <tvm/ffi/memory.h>
#undef malloc
#undef free
#undef posix_memalign
#pragma pop_macro("malloc")
#pragma pop_macro("free")
#pragma pop_macro("posix_memalign")
#endif
