# tvm_ffi::flags: what tvm_ffi_configure_target does to a target, as far as flags can say it. For build systems that read
# the targets of CMake packages and cannot call their functions, such as Meson. Without generator expressions and
# prefixes (SHELL:, LINKER:), which those do not know.

add_library(tvm_ffi::flags INTERFACE IMPORTED)
set_target_properties(
  tvm_ffi::flags
  PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES
      "${TVM_FFI_RUNTIME_INCLUDE_DIR};${TVM_FFI_RUNTIME_DLPACK_INCLUDE_DIR};${CMAKE_BINARY_DIR}/_tvm_ffi_include"
)
if(WIN32)
  set_target_properties(tvm_ffi::flags PROPERTIES INTERFACE_LINK_LIBRARIES "${TVM_FFI_RUNTIME_LINK_LIBRARY}")
  return()
endif()

# By folder and name: of a library that is given by its path, Meson makes a run path, and of this machine.
get_filename_component(_tvm_ffi_folder "${TVM_FFI_RUNTIME_LINK_LIBRARY}" DIRECTORY)
set(_tvm_ffi_link_options "-L${_tvm_ffi_folder}")
if(APPLE)
  list(APPEND _tvm_ffi_link_options "-Wl,-exported_symbol,___tvm_ffi_*")
else()
  list(APPEND _tvm_ffi_link_options "-Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map")
  if("stdc++" IN_LIST CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
    # As _tvm_ffi_link_cxx_library_first says. Meson takes no such name for a library's.
    list(APPEND _tvm_ffi_link_options -lstdc++)
  endif()
endif()

# The record, in each object: those who read it take the same word twice for one.
set(_tvm_ffi_record "${CMAKE_BINARY_DIR}/_tvm_ffi_record.h")
_tvm_ffi_write_record("${_tvm_ffi_record}" "${TVM_FFI_RUNTIME_VERSION}" "")
get_filename_component(_tvm_ffi_folder "${TVM_FFI_RUNTIME_INCLUDE_DIR}/../.." ABSOLUTE)
set_target_properties(
  tvm_ffi::flags
  PROPERTIES
    INTERFACE_COMPILE_OPTIONS
      "-fvisibility=hidden;-include${_tvm_ffi_record};-ffile-prefix-map=${_tvm_ffi_folder}/=;-ffile-prefix-map=${TVM_FFI_RUNTIME_INCLUDE_DIR}/="
    INTERFACE_LINK_OPTIONS "${_tvm_ffi_link_options}"
    INTERFACE_LINK_LIBRARIES -ltvm_ffi
)
