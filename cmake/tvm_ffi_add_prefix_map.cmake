include_guard(GLOBAL)

# tvm_ffi_add_prefix_map(<target> <directory>)
#
# Write paths below <directory> as relative paths into tracebacks, assertions and debug information. Otherwise, the library
# contains paths of the build machine, and its bytes differ between machines.
function(tvm_ffi_add_prefix_map target folder)
  _tvm_ffi_require_target(tvm_ffi_add_prefix_map "${target}")
  _tvm_ffi_map_prefix("${target}" "${folder}/" "")
endfunction()

# A compiler takes the last map that fits.
function(_tvm_ffi_map_prefix target from to)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang" OR CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
    if(MSVC) # clang-cl takes MSVC's arguments
      return()
    endif()
    set(flag "-ffile-prefix-map=${from}=${to}")
    # These would end the generator expression or the list item that the flag stands in.
    string(REPLACE ">" "$<ANGLE-R>" flag "${flag}")
    string(REPLACE ";" "$<SEMICOLON>" flag "${flag}")
    target_compile_options(
      "${target}"
      PRIVATE "$<$<COMPILE_LANGUAGE:C,CXX>:${flag}>" "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${flag}>"
    )
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR CMAKE_C_COMPILER_ID STREQUAL "GNU")
      # gcc writes debug information at link time when it optimises then; clang has it from the compilation.
      get_target_property(type "${target}" TYPE)
      if(type MATCHES "SHARED|MODULE|EXECUTABLE")
        target_link_options("${target}" PRIVATE "$<$<LINK_LANGUAGE:C,CXX>:${flag}>")
      endif()
    endif()
  endif()
endfunction()

# All paths that a build through this package is known to meet.
function(_tvm_ffi_map_all_prefixes target)
  # Without a slash, since debug information also names the folder that the compiler ran in. So it fits "<folder>_tools"
  # too, and comes first, where others win.
  _tvm_ffi_map_prefix("${target}" "${CMAKE_BINARY_DIR}" ".")
  # From the target, for which both ways to get the runtime fill in the same property; the variables of find_package are
  # not seen in every folder where the targets are.
  get_target_property(includes tvm_ffi::header INTERFACE_INCLUDE_DIRECTORIES)
  list(GET includes 0 include)
  # Other packages of the build environment: <site-packages>/tvm_ffi/include is where the runtime's headers are.
  get_filename_component(site_packages "${include}/../.." ABSOLUTE)
  _tvm_ffi_map_prefix("${target}" "${site_packages}/" "")
  foreach(include IN LISTS includes)
    _tvm_ffi_map_prefix("${target}" "${include}/" "")
  endforeach()
  string(FIND "${CMAKE_CURRENT_SOURCE_DIR}/" "${CMAKE_SOURCE_DIR}/" position)
  if(NOT position EQUAL 0)
    # A dependency that was fetched to somewhere else.
    _tvm_ffi_map_prefix("${target}" "${CMAKE_CURRENT_SOURCE_DIR}/" "")
  endif()
  _tvm_ffi_map_prefix("${target}" "${CMAKE_SOURCE_DIR}/" "")
endfunction()
