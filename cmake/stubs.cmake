include_guard(GLOBAL)

# Runs the runtime's own generator after each link.
function(_tvm_ffi_generate_stubs target)
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  get_filename_component(folder "${ARG_STUB_DIR}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  if(NOT IS_DIRECTORY "${folder}" AND NOT ARG_STUB_INIT)
    message(FATAL_ERROR "tvm_ffi_configure_target(${target}): STUB_DIR ${folder} is not a folder")
  endif()
  set(arguments "${folder}" --dlls "$<TARGET_FILE:${target}>")
  if(ARG_STUB_INIT)
    if(NOT DEFINED ARG_STUB_PKG)
      set(ARG_STUB_PKG "${target}")
      if(SKBUILD_PROJECT_NAME)
        set(ARG_STUB_PKG "${SKBUILD_PROJECT_NAME}")
      endif()
    endif()
    if(NOT DEFINED ARG_STUB_PREFIX)
      set(ARG_STUB_PREFIX "${ARG_STUB_PKG}.")
    endif()
    list(
      APPEND arguments
      --init-lib
      "${target}"
      --init-pypkg
      "${ARG_STUB_PKG}"
      --init-prefix
      "${ARG_STUB_PREFIX}"
    )
  endif()
  # The library was linked for its place in the wheel, where those of the same project lie beside it.
  set(folders "$<TARGET_FILE_DIR:${target}>" "${CMAKE_BINARY_DIR}")
  _tvm_ffi_companions("${target}" companions)
  foreach(library IN LISTS companions)
    list(APPEND folders "$<TARGET_FILE_DIR:${library}>")
  endforeach()
  if(APPLE)
    set(variable DYLD_LIBRARY_PATH)
  else()
    set(variable LD_LIBRARY_PATH)
  endif()
  list(JOIN folders ":" folders)

  # In the build folder: in the runtime's own folder, or in one with a module of a standard name, Python would import
  # from there.
  add_custom_command(
    TARGET "${target}"
    POST_BUILD
    COMMAND
      "${CMAKE_COMMAND}" -E env "PYTHONPATH=${python_path}" "${variable}=${folders}:$ENV{${variable}}" "${python}" -m
      tvm_ffi.stub.cli ${arguments}
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
    COMMENT "Generating the Python stubs of ${target}"
    VERBATIM
  )
endfunction()
