# Answers find_package(tvm_ffi <version>) with the version of the runtime, not of tvm-ffi-build.
#
# Any runtime that is not older serves: releases only add to the C ABI. Whether the wheel that is built runs on other
# runtimes is another question, which its own requirement answers.

include("${CMAKE_CURRENT_LIST_DIR}/runtime.cmake")
_tvm_ffi_locate_runtime(_tvm_ffi_error)

if(_tvm_ffi_error)
  # Claim to fit, so that CMake goes on to tvm_ffi-config.cmake, which says what is wrong. An unsuitable version would
  # end in "no configuration file was found".
  set(PACKAGE_VERSION 0)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  set(PACKAGE_VERSION_EXACT TRUE)
else()
  set(PACKAGE_VERSION "${TVM_FFI_RUNTIME_VERSION}")
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  # VERSION_LESS compares the numbers and stops at the first letter: 0.1.15.post2 counts as 0.1.15 here.
  if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
  elseif(PACKAGE_FIND_VERSION_RANGE)
    if(
      (PACKAGE_FIND_VERSION_RANGE_MAX STREQUAL "EXCLUDE" AND NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION_MAX)
      OR
        (PACKAGE_FIND_VERSION_RANGE_MAX STREQUAL "INCLUDE" AND PACKAGE_VERSION VERSION_GREATER PACKAGE_FIND_VERSION_MAX)
    )
      set(PACKAGE_VERSION_COMPATIBLE FALSE)
    endif()
  endif()
  if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
