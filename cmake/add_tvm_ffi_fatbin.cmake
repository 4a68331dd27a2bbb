include_guard(GLOBAL)

# add_tvm_ffi_fatbin(<target> CUDA <source>)
#
# Compile a CUDA source to a fatbin, device code for all architectures of CMAKE_CUDA_ARCHITECTURES, for
# tvm_ffi_embed_bin_into:
#
#     add_tvm_ffi_fatbin(scale_kernels CUDA src/scale.cu)
#     tvm_ffi_embed_bin_into(my_kernels SYMBOL scale BIN $<TARGET_OBJECTS:scale_kernels>)
function(add_tvm_ffi_fatbin target)
  _tvm_ffi_add_device_code(add_tvm_ffi_fatbin "${target}" fatbin ${ARGN})
endfunction()
