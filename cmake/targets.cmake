# The runtime as imported targets, from the TVM_FFI_RUNTIME_* variables. Imported targets live in one directory and
# below, so this is read by every find_package call and makes what is missing there.

if(TARGET tvm_ffi::header)
  return()
endif()

add_library(tvm_ffi_header INTERFACE IMPORTED)
target_include_directories(
  tvm_ffi_header
  INTERFACE
    "${TVM_FFI_RUNTIME_INCLUDE_DIR}"
    "${TVM_FFI_RUNTIME_DLPACK_INCLUDE_DIR}"
    "${CMAKE_BINARY_DIR}/_tvm_ffi_include"
)
# A project of C alone may use the C ABI; CMake refuses a C++ feature there.
get_property(_tvm_ffi_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if("CXX" IN_LIST _tvm_ffi_languages)
  target_compile_features(tvm_ffi_header INTERFACE cxx_std_17)
endif()
add_library(tvm_ffi::header ALIAS tvm_ffi_header)

add_library(tvm_ffi_shared SHARED IMPORTED)
target_link_libraries(tvm_ffi_shared INTERFACE tvm_ffi_header)
set_target_properties(tvm_ffi_shared PROPERTIES IMPORTED_LOCATION "${TVM_FFI_RUNTIME_LIBRARY}")
if(WIN32)
  set_target_properties(tvm_ffi_shared PROPERTIES IMPORTED_IMPLIB "${TVM_FFI_RUNTIME_LINK_LIBRARY}")
endif()
add_library(tvm_ffi::shared ALIAS tvm_ffi_shared)

include("${CMAKE_CURRENT_LIST_DIR}/flags.cmake")
