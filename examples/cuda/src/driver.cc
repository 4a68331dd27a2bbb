// The functions of CUDA's driver that the launcher calls, looked up in libcuda when they are.
#include <cuda.h>
#include <dlfcn.h>
#include <tvm/ffi/error.h>

static void* Find(const char* name) {
  static void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) TVM_FFI_THROW(RuntimeError) << "CUDA's driver is not installed: there is no libcuda.so.1";
  void* found = dlsym(driver, name);
  if (found == nullptr) TVM_FFI_THROW(RuntimeError) << "CUDA's driver has no " << name << "; update it";
  return found;
}

#define TO_STRING(text) #text
// Some names in <cuda.h> are macros for those with a version, such as cuGetErrorName_v2.
#define FORWARD(name, parameters, arguments)                                              \
  CUresult CUDAAPI name parameters {                                                      \
    static auto* const found = reinterpret_cast<decltype(&name)>(Find(TO_STRING(name)));  \
    return found arguments;                                                               \
  }

FORWARD(cuGetErrorName, (CUresult error, const char** text), (error, text))
FORWARD(cuGetErrorString, (CUresult error, const char** text), (error, text))
FORWARD(cuLibraryLoadData,
        (CUlibrary* library, const void* code, CUjit_option* options, void** values, unsigned int count,
         CUlibraryOption* library_options, void** library_values, unsigned int library_count),
        (library, code, options, values, count, library_options, library_values, library_count))
FORWARD(cuLibraryUnload, (CUlibrary library), (library))
FORWARD(cuLibraryGetKernel, (CUkernel* kernel, CUlibrary library, const char* name), (kernel, library, name))
FORWARD(cuLaunchKernel,
        (CUfunction function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z, unsigned int block_x,
         unsigned int block_y, unsigned int block_z, unsigned int shared_bytes, CUstream stream, void** arguments,
         void** extra),
        (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes, stream, arguments, extra))
