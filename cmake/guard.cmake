include_guard(GLOBAL)

# Write the module that says on which runtimes <target> is known to fail, when it has been linked, and install it beside
# the library. The loader that STUB_INIT makes reads it. tvm_ffi_build/cmake_steps/runtime_guard.py says why it has
# literals.
function(_tvm_ffi_write_guard target destination)
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  set(module "${CMAKE_CURRENT_BINARY_DIR}/_${target}_runtime.py")
  # [tool.tvm-ffi-build.gpu] check of pyproject.toml
  set(check_gpus "")
  if(DEFINED TVM_FFI_CHECK_GPU AND NOT TVM_FFI_CHECK_GPU)
    set(check_gpus --no-gpu-check)
  endif()
  add_custom_command(
    OUTPUT "${module}"
    COMMAND
      "${CMAKE_COMMAND}" -E env "PYTHONPATH=${python_path}" "${python}" -m tvm_ffi_build.cmake_steps.runtime_guard
      "$<TARGET_FILE:${target}>" "${module}" ${check_gpus}
    DEPENDS "${target}" "$<TARGET_FILE:${target}>"
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
    COMMENT "Runtimes of ${target}"
    VERBATIM
  )
  add_custom_target("${target}_runtimes" ALL DEPENDS "${module}")
  # Where the target is not built, there is none.
  install(FILES "${module}" DESTINATION "${destination}" OPTIONAL)
endfunction()
