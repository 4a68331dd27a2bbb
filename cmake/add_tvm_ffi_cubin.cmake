include_guard(GLOBAL)

# add_tvm_ffi_cubin(<target> CUDA <source>)
#
# Compile a CUDA source to a cubin, machine code for exactly one architecture, for tvm_ffi_embed_bin_into. The architecture
# is that of CMAKE_CUDA_ARCHITECTURES. If it lists several, set the property of the target:
#
#     add_tvm_ffi_cubin(fill_kernels CUDA src/fill.cu)
#     set_target_properties(fill_kernels PROPERTIES CUDA_ARCHITECTURES 90)
function(add_tvm_ffi_cubin target)
  _tvm_ffi_add_device_code(add_tvm_ffi_cubin "${target}" cubin ${ARGN})
endfunction()
