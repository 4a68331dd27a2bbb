include_guard(GLOBAL)

# _tvm_ffi_add_device_code(<function> <target> <kind> ...)
#
# Compile one CUDA source to a file of device code, cubin or fatbin: $<TARGET_OBJECTS:<target>>, and a copy of it named
# <source>.<kind> in the build folder. With CMake's own CUDA support, so CMAKE_CUDA_ARCHITECTURES is obeyed. CMake 3.27
# has properties for this; this works from 3.18.
function(_tvm_ffi_add_device_code function target kind)
  cmake_parse_arguments(PARSE_ARGV 3 ARG "" "CUDA" "")
  set(call "${function}(${target})")
  _tvm_ffi_check_arguments("${call}")
  if(NOT ARG_CUDA)
    message(FATAL_ERROR "${call}: CUDA is missing, the source to compile")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "CUDA" IN_LIST languages)
    message(FATAL_ERROR "${call}: the project does not use CUDA; call enable_language(CUDA) before it")
  endif()
  add_library("${target}" OBJECT "${ARG_CUDA}")
  target_compile_options("${target}" PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--${kind}>")
  get_filename_component(stem "${ARG_CUDA}" NAME_WE)
  set(copy "${CMAKE_CURRENT_BINARY_DIR}/${stem}.${kind}")
  add_custom_command(
    OUTPUT "${copy}"
    COMMAND "${CMAKE_COMMAND}" -E copy "$<TARGET_OBJECTS:${target}>" "${copy}"
    DEPENDS "${target}" "$<TARGET_OBJECTS:${target}>"
    COMMENT "Copying the ${kind} of ${target}"
    VERBATIM
  )
  add_custom_target("${target}_bin" ALL DEPENDS "${copy}")
endfunction()
