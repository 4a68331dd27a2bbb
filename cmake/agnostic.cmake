include_guard(GLOBAL)

# For a wheel that claims to serve every Python 3: stop its installation if it does not. TVM_FFI_WHEEL_IS_AGNOSTIC
# comes from the scikit-build-core plugin, which expects that tag; SKBUILD_SABI_VERSION says that it was overridden by
# one for the limited API.
function(_tvm_ffi_check_agnostic target)
  if(NOT TVM_FFI_WHEEL_IS_AGNOSTIC OR SKBUILD_SABI_VERSION)
    return()
  endif()
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  _tvm_ffi_config_suffix(suffix suffix_at_install)
  # A script of its own, since it takes generator expressions.
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}-agnostic")
  file(
    GENERATE OUTPUT "${script}${suffix}.cmake"
    CONTENT
      "if(NOT EXISTS [==[$<TARGET_FILE:${target}>]==])
  return() # not built, so not installed
endif()
execute_process(
  COMMAND [==[${CMAKE_COMMAND}]==] -E env [==[PYTHONPATH=${python_path}]==] [==[${python}]==]
    -m tvm_ffi_build.cmake_steps.check_agnostic [==[$<TARGET_FILE:${target}>]==]
  WORKING_DIRECTORY [==[${CMAKE_CURRENT_BINARY_DIR}]==]
  RESULT_VARIABLE result
  ERROR_VARIABLE error
  ERROR_STRIP_TRAILING_WHITESPACE
)
if(NOT result EQUAL 0)
  message(FATAL_ERROR \"\${error}\")
endif()
"
  )
  _tvm_ffi_install_code("set(script [==[${script}]==])\ninclude(\"\${script}${suffix_at_install}.cmake\")")
endfunction()
