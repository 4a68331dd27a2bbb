include_guard(GLOBAL)

# tvm_ffi_configure_target(<target>
#   [LINK_SHARED ON|OFF]    link the runtime's library (default ON; OFF for code that only uses the headers)
#   [LINK_HEADER ON|OFF]    add the include directories of the runtime (default ON)
#   [DEBUG_SYMBOL ON|OFF]   macOS: create a dSYM, which tvm_ffi_install installs (default ON)
#   [MSVC_FLAGS ON|OFF]     MSVC: add the options that the runtime's headers need (default ON)
#   [METADATA ON|OFF]       store types and docs of exported functions in the library, for the stubs (default OFF)
#   [EXPORT <glob>...]      export more symbols than the TVM-FFI functions, by linker name. They need not be marked as
#                           visible. Windows: a glob exports symbols marked dllexport. The link fails if a name cannot
#                           be exported. EXPORT "*" exports everything that is visible
#   [STUB_DIR <directory>]  update the Python stubs in <directory>, which contains the package; relative to the current
#                           source directory
#   [STUB_INIT ON|OFF]      create missing stub files (default OFF)
#   [STUB_PKG <name>]       with STUB_INIT: the Python distribution (default: the project's, otherwise the target's name)
#   [STUB_PREFIX <prefix>]  with STUB_INIT: the prefix of the registered names (default "<STUB_PKG>." with underscores)
#   [STUB_TARGET python]    the language of the stubs
# )
#
# Build <target>, a library of this project, as an extension that works with every Python:
#
#     add_library(my_kernels SHARED src/my_kernels.cc)
#     tvm_ffi_configure_target(my_kernels METADATA ON STUB_DIR python STUB_INIT ON)
#
# This is short for:
#
#     target_link_libraries(<target> PRIVATE tvm_ffi::header tvm_ffi::shared)
#     tvm_ffi_add_prefix_map(<target> ${CMAKE_SOURCE_DIR})      # also the build's and the runtime's directories
#     tvm_ffi_hide_static_linked_lib_symbols(<target>)
#     tvm_ffi_add_apple_dsymutil(<target>)
#     tvm_ffi_add_msvc_flags(<target>)
#
# It also does the following:
#
# - On Linux, it links the C++ library before the runtime's, which exports parts of it in some releases.
# - It sets hidden visibility, an export list and an rpath to the runtime's library.
# - If the wheel is tagged for any Python 3, the installation fails if the library calls CPython.
# - It adds a build record: a small source file stores the version of apache-tvm-ffi in the library, and the wheel gets the
#   file tvm_ffi_build.json. docs/explanation/contract.md describes it.
# - In a wheel build, it removes VERSION and SOVERSION of <target> and of shared libraries of this build that it links to,
#   with a warning. A wheel cannot contain symbolic links, so it would contain a copy of the library for each name.
#
# To build an extension in parts, use OBJECT libraries and configure each of them. Functions in static libraries are not
# exported, and a part that is not configured contains paths of this machine.
function(tvm_ffi_configure_target target)
  set(call "tvm_ffi_configure_target(${target})")
  set(
    values
    LINK_SHARED
    LINK_HEADER
    DEBUG_SYMBOL
    MSVC_FLAGS
    METADATA
    STUB_DIR
    STUB_INIT
    STUB_PKG
    STUB_PREFIX
    STUB_TARGET
  )
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "${values}" "EXPORT")
  _tvm_ffi_check_arguments("${call}" ${values} EXPORT)
  _tvm_ffi_switch("${call}" LINK_SHARED ON)
  _tvm_ffi_switch("${call}" LINK_HEADER ON)
  _tvm_ffi_switch("${call}" DEBUG_SYMBOL ON)
  _tvm_ffi_switch("${call}" MSVC_FLAGS ON)
  _tvm_ffi_switch("${call}" METADATA OFF)
  _tvm_ffi_switch("${call}" STUB_INIT OFF)
  _tvm_ffi_require_target(
    tvm_ffi_configure_target
    "${target}"
    SHARED_LIBRARY
    MODULE_LIBRARY
    OBJECT_LIBRARY
    STATIC_LIBRARY
    EXECUTABLE
  )
  if(NOT TARGET tvm_ffi::header)
    message(FATAL_ERROR "${call}: call find_package(tvm_ffi CONFIG REQUIRED) before it, in this directory or a parent")
  endif()
  get_target_property(type "${target}" TYPE)
  get_target_property(configured "${target}" _tvm_ffi_is_configured)
  if(configured)
    message(FATAL_ERROR "${call}: it was called for this target before; merge the two calls")
  endif()
  set_target_properties("${target}" PROPERTIES _tvm_ffi_is_configured TRUE)
  _tvm_ffi_check_combination("${call}" "${type}")

  if(ARG_LINK_HEADER)
    target_link_libraries("${target}" PRIVATE tvm_ffi::header)
  endif()
  if(ARG_LINK_SHARED)
    _tvm_ffi_link_cxx_library_first("${target}" "${type}")
    target_link_libraries("${target}" PRIVATE tvm_ffi::shared)
    get_target_property(installed tvm_ffi::shared _tvm_ffi_installed_library_dir)
    if(installed)
      # Built from source for the linker; out of the build tree too, Python is to meet its own.
      set_property(TARGET "${target}" APPEND PROPERTY BUILD_RPATH "${installed}")
    endif()
  endif()
  if(ARG_METADATA)
    target_compile_definitions("${target}" PRIVATE TVM_FFI_DLL_EXPORT_INCLUDE_METADATA=1)
  endif()
  _tvm_ffi_record_runtime("${target}")
  _tvm_ffi_map_all_prefixes("${target}")
  _tvm_ffi_set_visibility("${target}" ${ARG_EXPORT})
  if(ARG_MSVC_FLAGS)
    tvm_ffi_add_msvc_flags("${target}")
  endif()
  if(type MATCHES "OBJECT|STATIC")
    # It is to end up in a shared library.
    get_target_property(position_independent "${target}" POSITION_INDEPENDENT_CODE)
    if(position_independent MATCHES "NOTFOUND")
      set_target_properties("${target}" PROPERTIES POSITION_INDEPENDENT_CODE ON)
    endif()
    return()
  endif()

  set(link header)
  if(ARG_LINK_SHARED AND TARGET tvm_ffi::static)
    set(link source)
  elseif(ARG_LINK_SHARED)
    set(link prebuilt)
  endif()
  _tvm_ffi_record_in_wheel("${target}" ${link})
  if(WIN32)
    # load_lib_module looks for <target>.dll there; mingw would make it lib<target>.dll.
    set_target_properties("${target}" PROPERTIES PREFIX "")
  endif()
  tvm_ffi_hide_static_linked_lib_symbols("${target}")
  _tvm_ffi_default_run_path("${target}")
  _tvm_ffi_keep_one_file("${target}")
  if(NOT CMAKE_VERSION VERSION_LESS 3.19)
    _tvm_ffi_at_end_of_folder(_tvm_ffi_check_driver "${target}")
  endif()
  if(ARG_DEBUG_SYMBOL)
    tvm_ffi_add_apple_dsymutil("${target}")
  endif()
  if(type STREQUAL "EXECUTABLE")
    return()
  endif()
  _tvm_ffi_export_only("${target}" "${type}" ${ARG_EXPORT})
  _tvm_ffi_check_agnostic("${target}")
  if(ARG_STUB_DIR)
    _tvm_ffi_generate_stubs("${target}")
  endif()
  set_property(TARGET "${target}" PROPERTY _tvm_ffi_has_loader "${ARG_STUB_INIT}")
endfunction()

# Stop at keywords that say nothing together, or nothing for a target of this type.
macro(_tvm_ffi_check_combination call type)
  if(NOT "${type}" MATCHES "SHARED|MODULE")
    foreach(keyword IN ITEMS EXPORT STUB_DIR)
      if(ARG_${keyword})
        message(FATAL_ERROR "${call}: ${keyword} has a meaning only for a shared library, this is of type ${type}")
      endif()
    endforeach()
  endif()
  if(ARG_STUB_INIT AND NOT ARG_STUB_DIR)
    message(FATAL_ERROR "${call}: STUB_INIT needs STUB_DIR, the directory for the stub files")
  endif()
  foreach(keyword IN ITEMS STUB_PKG STUB_PREFIX)
    if(DEFINED ARG_${keyword} AND NOT ARG_STUB_INIT)
      message(FATAL_ERROR "${call}: ${keyword} has a meaning only with STUB_INIT ON")
    endif()
  endforeach()
  if(DEFINED ARG_STUB_TARGET AND NOT ARG_STUB_DIR)
    message(FATAL_ERROR "${call}: STUB_TARGET needs STUB_DIR")
  endif()
  if(DEFINED ARG_STUB_TARGET AND NOT ARG_STUB_TARGET STREQUAL "python")
    message(
      FATAL_ERROR
      "${call}: STUB_TARGET takes python, not \"${ARG_STUB_TARGET}\"; for other languages run the runtime's own "
      "tvm-ffi-stubgen --target ${ARG_STUB_TARGET}"
    )
  endif()
endmacro()

# CUDA's driver comes with the GPU; what machines without one link to is a stub, which is not always there.
function(_tvm_ffi_check_driver target)
  get_target_property(libraries "${target}" LINK_LIBRARIES)
  if("CUDA::cuda_driver" IN_LIST libraries AND NOT TARGET CUDA::cuda_driver)
    message(
      FATAL_ERROR
      "tvm_ffi_configure_target(${target}): ${target} links to CUDA::cuda_driver, and find_package(CUDAToolkit) has found "
      "no libcuda to link; install CUDA's stub of it (the package cuda-driver-dev), or let the library look for the "
      "driver when it launches a kernel (docs/how-to/cuda.md)"
    )
  endif()
endfunction()
