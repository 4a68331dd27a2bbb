include_guard(GLOBAL)

# For a wheel that claims to serve every Python 3: stop its installation if it does not. TVM_FFI_WHEEL_IS_AGNOSTIC
# comes from the scikit-build-core plugin, which expects that tag; SKBUILD_SABI_VERSION says that it was overridden by
# one for the limited API.
function(_tvm_ffi_check_agnostic target)
  if(NOT TVM_FFI_WHEEL_IS_AGNOSTIC OR SKBUILD_SABI_VERSION)
    return()
  endif()
  _tvm_ffi_check_at_install("${target}" agnostic tvm_ffi_build.cmake_steps.check_agnostic)
endfunction()
