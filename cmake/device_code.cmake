include_guard(GLOBAL)

# _tvm_ffi_add_device_code(<function> <target> <kind> ...)
#
# Compile one CUDA source to a file of device code, cubin or fatbin: $<TARGET_OBJECTS:<target>>, and a copy of it named
# <source>.<kind> in the build folder (<target>.<kind> where that name is taken). With CMake's own CUDA support, so CMAKE_CUDA_ARCHITECTURES is obeyed. CMake 3.27
# has properties for this; this works from 3.18.
function(_tvm_ffi_add_device_code function target kind)
  cmake_parse_arguments(PARSE_ARGV 3 ARG "" "CUDA" "")
  set(call "${function}(${target})")
  _tvm_ffi_check_arguments("${call}" CUDA)
  if(NOT ARG_CUDA)
    message(FATAL_ERROR "${call}: CUDA is missing, the source to compile")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "CUDA" IN_LIST languages)
    message(FATAL_ERROR "${call}: the project does not use CUDA; call enable_language(CUDA) before it")
  endif()
  add_library("${target}" OBJECT "${ARG_CUDA}")
  target_compile_options("${target}" PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--${kind}>")
  if(kind STREQUAL "cubin")
    _tvm_ffi_at_end_of_folder(_tvm_ffi_settle_architecture "${target}")
  endif()
  get_filename_component(stem "${ARG_CUDA}" NAME_WE)
  set(copy "${CMAKE_CURRENT_BINARY_DIR}/${stem}.${kind}")
  # One source may be compiled several times, say to a cubin for each of some architectures.
  get_property(taken DIRECTORY PROPERTY _tvm_ffi_device_code)
  if(copy IN_LIST taken)
    set(copy "${CMAKE_CURRENT_BINARY_DIR}/${target}.${kind}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY _tvm_ffi_device_code "${copy}")
  add_custom_command(
    OUTPUT "${copy}"
    COMMAND "${CMAKE_COMMAND}" -E copy "$<TARGET_OBJECTS:${target}>" "${copy}"
    DEPENDS "${target}" "$<TARGET_OBJECTS:${target}>"
    COMMENT "Copying the ${kind} of ${target}"
    VERBATIM
  )
  add_custom_target("${target}_bin" ALL DEPENDS "${copy}")
endfunction()

# Call a function when all of this folder's CMakeLists.txt has been read, so that it sees what is set until then. CMake
# 3.18 cannot; there it is called at once.
function(_tvm_ffi_at_end_of_folder function target)
  if(CMAKE_VERSION VERSION_LESS 3.19)
    cmake_language(CALL ${function} "${target}")
  else()
    # Evaluated, since what is deferred reads variables only then.
    cmake_language(EVAL CODE "cmake_language(DEFER CALL ${function} [==[${target}]==])")
  endif()
endfunction()

# By "80" CMake means machine code for 8.0 and, beside it, what drivers translate for later ones. In a cubin there is room
# for the first alone.
function(_tvm_ffi_settle_architecture target)
  get_target_property(architectures "${target}" CUDA_ARCHITECTURES)
  if(architectures MATCHES "^[0-9]+[a-z]?$")
    set_target_properties("${target}" PROPERTIES CUDA_ARCHITECTURES "${architectures}-real")
  elseif(architectures MATCHES ";|^all|-virtual$" AND NOT CMAKE_VERSION VERSION_LESS 3.19)
    message(
      FATAL_ERROR
      "add_tvm_ffi_cubin(${target}): a cubin is machine code for one architecture, and CUDA_ARCHITECTURES of ${target} "
      "is \"${architectures}\"; name one with set_target_properties(${target} PROPERTIES CUDA_ARCHITECTURES 80-real), or "
      "call add_tvm_ffi_fatbin, which takes them all"
    )
  endif()
endfunction()
