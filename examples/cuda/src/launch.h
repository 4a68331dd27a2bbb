// Launches a kernel on all elements of a vector.
#pragma once

#include <tvm/ffi/extra/c_env_api.h>
#include <tvm/ffi/extra/cuda/cubin_launcher.h>
#include <tvm/ffi/tvm_ffi.h>

inline void Launch(tvm::ffi::CubinKernel& kernel, tvm::ffi::TensorView x, float value) {
  DLDataType type = x.dtype();
  DLDevice device = x.device();
  if (x.ndim() != 1 || type.code != kDLFloat || type.bits != 32 || type.lanes != 1 || device.device_type != kDLCUDA ||
      !x.IsContiguous()) {
    TVM_FFI_THROW(TypeError) << "this takes a contiguous one-dimensional float32 tensor of CUDA";
  }
  // The types of the kernel's parameters, to the byte.
  void* data = x.data_ptr();
  long long count = x.size(0);
  void* arguments[] = {&data, &count, &value};
  constexpr unsigned int kThreads = 256;
  tvm::ffi::dim3 blocks(static_cast<unsigned int>((count + kThreads - 1) / kThreads));
  // The stream that the caller's library, such as torch, works on.
  auto stream = static_cast<CUstream>(TVMFFIEnvGetStream(device.device_type, device.device_id));
  if (count > 0) {
    TVM_FFI_CHECK_CUBIN_LAUNCHER_CUDA_ERROR(kernel.Launch(arguments, blocks, tvm::ffi::dim3(kThreads), stream));
  }
}
