include_guard(GLOBAL)

# add_tvm_ffi_cubin(<target> CUDA <source>)
#
# Compile a CUDA source to a cubin, machine code for exactly one architecture, for tvm_ffi_embed_bin_into: that of
# CMAKE_CUDA_ARCHITECTURES, or where those are several, of set_target_properties(<target> PROPERTIES CUDA_ARCHITECTURES 80).
function(add_tvm_ffi_cubin target)
  _tvm_ffi_add_device_code(add_tvm_ffi_cubin "${target}" cubin ${ARGN})
endfunction()
