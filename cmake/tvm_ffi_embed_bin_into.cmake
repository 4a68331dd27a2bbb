include_guard(GLOBAL)

# tvm_ffi_embed_bin_into(<target> SYMBOL <name> BIN <file>)
#
# Embed a cubin or fatbin into <target>, for TVM_FFI_EMBED_CUBIN(<name>) in its C++ code. <file> is a path, relative to the
# source or build directory, or $<TARGET_OBJECTS:...> of add_tvm_ffi_cubin or add_tvm_ffi_fatbin. Call it once for each
# name:
#
#     add_tvm_ffi_fatbin(scale_kernels CUDA src/scale.cu)
#     tvm_ffi_embed_bin_into(my_kernels SYMBOL scale BIN $<TARGET_OBJECTS:scale_kernels>)
#
# The assembler reads the file, so "ld -r" and objcopy are not needed. The project's compiler decides for which machine the
# object is.
function(tvm_ffi_embed_bin_into target)
  set(call "tvm_ffi_embed_bin_into(${target})")
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "SYMBOL;BIN" "")
  _tvm_ffi_check_arguments("${call}" SYMBOL BIN)
  _tvm_ffi_require_target(
    tvm_ffi_embed_bin_into
    "${target}"
    SHARED_LIBRARY
    MODULE_LIBRARY
    OBJECT_LIBRARY
    STATIC_LIBRARY
    EXECUTABLE
  )
  foreach(keyword IN ITEMS SYMBOL BIN)
    if(NOT ARG_${keyword})
      message(FATAL_ERROR "${call}: ${keyword} is missing")
    endif()
  endforeach()
  if(NOT ARG_SYMBOL MATCHES "^[A-Za-z0-9_]+$")
    message(FATAL_ERROR "${call}: SYMBOL \"${ARG_SYMBOL}\" is not part of a C identifier")
  endif()
  if(MSVC)
    message(FATAL_ERROR "${call}: MSVC has no assembler that can include a file; use TVM_FFI_EMBED_CUBIN_FROM_BYTES")
  endif()

  _tvm_ffi_other_folder_of("${target}" folder)
  if(folder)
    message(FATAL_ERROR "${call}: call this in the directory of ${target}: ${folder}")
  endif()

  if(NOT ARG_BIN MATCHES "\\$<" AND EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_BIN}")
    # The step runs in the build folder, where such a path can name only what another step makes.
    get_filename_component(ARG_BIN "${ARG_BIN}" ABSOLUTE)
  endif()
  set(stem "${CMAKE_CURRENT_BINARY_DIR}/${target}_${ARG_SYMBOL}")
  set(made_by "")
  if(ARG_BIN MATCHES "^\\$<TARGET_OBJECTS:([^<>]+)>$")
    # Makefiles have no rule for the objects of another target.
    set(made_by "${CMAKE_MATCH_1}")
  endif()
  add_custom_command(
    OUTPUT "${stem}.bin"
    COMMAND "${CMAKE_COMMAND}" -E copy "${ARG_BIN}" "${stem}.bin"
    DEPENDS "${ARG_BIN}" ${made_by}
    COMMENT "Copying ${ARG_SYMBOL} for ${target}"
    VERBATIM
  )
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("C" IN_LIST languages)
    set(extension c)
  elseif("CXX" IN_LIST languages)
    set(extension cc)
  else()
    message(FATAL_ERROR "${call}: it takes a compiler for C or C++; call enable_language(C) before it")
  endif()
  set(symbol "__tvm_ffi__cubin_${ARG_SYMBOL}")
  if(APPLE)
    set(section ".const_data")
    set(hidden ".private_extern")
    set(symbol "_${symbol}")
  else()
    set(section ".section .rodata")
    set(hidden ".hidden")
    if(WIN32)
      set(hidden "# ")
    endif()
  endif()
  # Hidden: two extensions may embed code under the same name. 64-byte aligned: cuModuleLoadData reads an image of 8.
  file(
    GENERATE OUTPUT "${stem}.${extension}"
    CONTENT
      "__asm__(
  \"${section}\\n\"
  \".balign 64\\n\"
  \".globl ${symbol}\\n\"
  \"${hidden} ${symbol}\\n\"
  \"${symbol}:\\n\"
  \".incbin \\\"${stem}.bin\\\"\\n\"
  \".globl ${symbol}_end\\n\"
  \"${hidden} ${symbol}_end\\n\"
  \"${symbol}_end:\\n\"
  \".byte 0\\n\"
  \".text\\n\");
"
  )
  set_source_files_properties("${stem}.${extension}" PROPERTIES GENERATED TRUE OBJECT_DEPENDS "${stem}.bin")
  target_sources("${target}" PRIVATE "${stem}.${extension}")
endfunction()
