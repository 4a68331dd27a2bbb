# find_package(tvm_ffi CONFIG): the TVM-FFI runtime of the Python environment, and the functions to build against it.
#
#   targets    tvm_ffi::header, tvm_ffi::shared; older names tvm_ffi_header, tvm_ffi_shared; and for build systems that
#              read CMake's targets and cannot call functions, tvm_ffi::flags
#   variables  tvm_ffi_INCLUDE_DIR, tvm_ffi_DLPACK_INCLUDE_DIR, tvm_ffi_LIB_FILES, tvm_ffi_VERSION
#   functions  one file each in this folder, named after them
#
# The runtime is never guessed at: its paths come from tvm_ffi_build, either as cache variables (the scikit-build-core
# plugin) or from one Python process. -DTVM_FFI_PYTHON=... names that Python, -DTVM_FFI_RUNTIME=... another runtime.
# -DTVM_FFI_LINK=source links to a library that is built from the sources that the runtime ships, instead of its own.

# First of all, in words that any CMake 3 understands: an older one would stop somewhere below at a missing feature.
if(CMAKE_VERSION VERSION_LESS 3.18)
  message(
    FATAL_ERROR
    "tvm-ffi-build needs CMake 3.18 or newer, this is ${CMAKE_VERSION}; run: python -m pip install \"cmake>=3.18\""
  )
endif()

cmake_policy(VERSION 3.18...4.0)

if(SKBUILD_CORE_VERSION AND SKBUILD_CORE_VERSION VERSION_LESS 1.0)
  message(
    FATAL_ERROR
    "tvm-ffi-build needs scikit-build-core 1.0 or newer, this is ${SKBUILD_CORE_VERSION}, which cannot be plugged "
    "into; write \"scikit-build-core>=1.0\" in build-system.requires"
  )
endif()

include("${CMAKE_CURRENT_LIST_DIR}/runtime.cmake")
_tvm_ffi_locate_runtime(_tvm_ffi_error)
if(_tvm_ffi_error)
  if(tvm_ffi_FIND_REQUIRED)
    message(FATAL_ERROR "${_tvm_ffi_error}")
  endif()
  set(tvm_ffi_FOUND FALSE)
  set(tvm_ffi_NOT_FOUND_MESSAGE "${_tvm_ffi_error}")
  return()
endif()

_tvm_ffi_set_variables()
include("${CMAKE_CURRENT_LIST_DIR}/functions.cmake")
if(TVM_FFI_LINK STREQUAL "source")
  if(NOT TARGET tvm_ffi::static)
    # Stops if the other kind was found before.
    add_subdirectory("${CMAKE_CURRENT_LIST_DIR}/source" "${CMAKE_BINARY_DIR}/_tvm_ffi_runtime")
  endif()
elseif(NOT TVM_FFI_LINK OR TVM_FFI_LINK STREQUAL "prebuilt")
  include("${CMAKE_CURRENT_LIST_DIR}/targets.cmake")
else()
  message(FATAL_ERROR "TVM_FFI_LINK takes prebuilt or source, not \"${TVM_FFI_LINK}\"")
endif()

if(TARGET tvm_ffi::static)
  set(_tvm_ffi_found "${TVM_FFI_RUNTIME_SOURCE_DIR}/src/ffi, to be built")
else()
  set(_tvm_ffi_found "${tvm_ffi_LIB_FILES}")
endif()

if(NOT tvm_ffi_FIND_QUIETLY)
  message(STATUS "Found tvm_ffi: ${_tvm_ffi_found} (version ${tvm_ffi_VERSION})")
endif()
