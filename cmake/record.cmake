include_guard(GLOBAL)

# The record of what was built against what: in each library the runtime's version, and in a wheel one file about all of
# them. tvm_ffi_build/contract/evidence/build_record.py reads both.

# Give <target> a source that holds the version, of the distribution as its metadata has it.
function(_tvm_ffi_record_runtime target)
  _tvm_ffi_language_of("${target}" language)
  set(extension_C c)
  set(extension_CXX cc)
  set(extension_CUDA cu)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${target}_runtime.${extension_${language}}")
  get_property(version GLOBAL PROPERTY _tvm_ffi_runtime_version)
  string(MAKE_C_IDENTIFIER "${target}" identifier)
  _tvm_ffi_write_record("${source}" "${version}" "${identifier}")
  # By itself, whatever the project does with its own sources.
  set_source_files_properties(
    "${source}"
    TARGET_DIRECTORY "${target}"
    PROPERTIES SKIP_AUTOGEN ON SKIP_LINTING ON SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON
  )
  target_sources("${target}" PRIVATE "${source}")
  if(WIN32 AND CMAKE_${language}_COMPILER_ID STREQUAL "GNU")
    # With --gc-sections its linker has no other way to be told; in a static library this says nothing.
    target_link_options("${target}" PRIVATE "LINKER:--undefined=tvm_ffi_abi_${identifier}")
  endif()
endfunction()

# Write the source with <version> in it; what is named after <identifier> is a symbol of Windows alone.
function(_tvm_ffi_write_record file version identifier)
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/record.c.in" "${file}" @ONLY)
endfunction()

# One of the languages that <target> is written in: the options that it is compiled with suit that one, and the linker
# stays the same.
function(_tvm_ffi_language_of target out_language)
  set(languages "")
  set(left_out "")
  set(is_all_known TRUE)
  get_target_property(sources "${target}" SOURCES)
  get_target_property(folder "${target}" SOURCE_DIR)
  foreach(source IN LISTS sources)
    set(language "")
    if(source MATCHES "^\\$<TARGET_OBJECTS:([^<>]+)>$")
      if(TARGET "${CMAKE_MATCH_1}")
        _tvm_ffi_language_of("${CMAKE_MATCH_1}" language)
      else()
        set(is_all_known FALSE)
      endif()
    elseif(NOT source MATCHES "\\$<")
      get_filename_component(source "${source}" ABSOLUTE BASE_DIR "${folder}")
      # Of one that is not there, CMake itself will say so better than when it is asked for its language.
      if(EXISTS "${source}")
        get_source_file_property(language "${source}" TARGET_DIRECTORY "${target}" LANGUAGE)
        if(NOT language)
          _tvm_ffi_language_of_extension("${source}" language)
        endif()
        if(NOT language)
          list(APPEND left_out "${source}")
        endif()
      else()
        set(is_all_known FALSE)
      endif()
    else()
      set(is_all_known FALSE)
    endif()
    list(APPEND languages "${language}")
  endforeach()
  foreach(language IN ITEMS CXX CUDA C)
    if(language IN_LIST languages)
      set(${out_language} ${language} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  # CMake would stop as well, did it not find the record, which it can compile.
  if(is_all_known AND left_out MATCHES "([^/;]+[.](c|cc|cpp|cxx|cu))(;|$)")
    message(
      FATAL_ERROR
      "tvm_ffi_configure_target(${target}): no source of it is compiled, for the project does not use their language; "
      "name that of ${CMAKE_MATCH_1} in project(... LANGUAGES ...)"
    )
  endif()
  # Its sources are still to come, or behind generator expressions.
  foreach(language IN ITEMS CXX CUDA C)
    if(CMAKE_${language}_COMPILER_LOADED)
      set(${out_language} ${language} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# The enabled language whose sources are named like <source>, or nothing. CMake itself tells it of those alone that were
# named one by one.
function(_tvm_ffi_language_of_extension source out_language)
  set(${out_language} "" PARENT_SCOPE)
  get_filename_component(extension "${source}" LAST_EXT)
  string(REGEX REPLACE "^[.]" "" extension "${extension}")
  foreach(language IN ITEMS CXX CUDA C)
    if(CMAKE_${language}_COMPILER_LOADED AND extension IN_LIST CMAKE_${language}_SOURCE_FILE_EXTENSIONS)
      set(${out_language} ${language} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# Name <target> in the record of the wheel that is being built. Not of an editable install: when that builds again, its
# metadata is out of reach.
function(_tvm_ffi_record_in_wheel target link)
  if(NOT SKBUILD_STATE STREQUAL "wheel" OR NOT SKBUILD_METADATA_DIR)
    return()
  endif()
  if(NOT TARGET _tvm_ffi_record)
    _tvm_ffi_begin_record()
  endif()
  set_property(
    TARGET _tvm_ffi_record
    APPEND
    PROPERTY _tvm_ffi_libraries "{\"name\": \"$<TARGET_FILE_NAME:${target}>\", \"link\": \"${link}\"}"
  )
  # In each folder, since install rules of some are left out.
  get_property(installed DIRECTORY PROPERTY _tvm_ffi_record_is_installed)
  if(NOT installed)
    set_property(DIRECTORY PROPERTY _tvm_ffi_record_is_installed TRUE)
    _tvm_ffi_config_suffix(suffix suffix_at_install)
    set(record "${CMAKE_BINARY_DIR}/_tvm_ffi_record${suffix_at_install}/tvm_ffi_build.json")
    set(folder "${SKBUILD_METADATA_DIR}")
    if(SKBUILD_HATCHLING)
      # It takes what goes into dist-info from there, and puts it into a folder of the same name.
      string(APPEND folder "/extra_metadata")
    endif()
    _tvm_ffi_install_code("file(INSTALL DESTINATION [==[${folder}]==] TYPE FILE FILES \"${record}\")")
  endif()
endfunction()

# The libraries are filled in when all are known, from a property of something that is no target of the build.
function(_tvm_ffi_begin_record)
  add_library(_tvm_ffi_record INTERFACE IMPORTED GLOBAL)
  get_property(runtime GLOBAL PROPERTY _tvm_ffi_runtime_version)
  get_property(version GLOBAL PROPERTY _tvm_ffi_build_version)
  set(compilers "")
  foreach(language IN ITEMS C CXX CUDA)
    if(CMAKE_${language}_COMPILER_LOADED)
      set(
        compiler
        "\"id\": \"${CMAKE_${language}_COMPILER_ID}\", \"version\": \"${CMAKE_${language}_COMPILER_VERSION}\""
      )
      list(APPEND compilers "\"${language}\": {${compiler}}")
    endif()
  endforeach()
  list(JOIN compilers ",\n    " compilers)
  # As CMake spells them; targets may have others.
  set(architectures "")
  if(CMAKE_CUDA_COMPILER_LOADED)
    list(TRANSFORM CMAKE_CUDA_ARCHITECTURES REPLACE "(.+)" "\"\\1\"" OUTPUT_VARIABLE architectures)
    list(JOIN architectures ", " architectures)
    set(architectures "\n  \"cuda-architectures\": [${architectures}],")
  endif()
  _tvm_ffi_config_suffix(suffix suffix_at_install)
  file(
    GENERATE OUTPUT "${CMAKE_BINARY_DIR}/_tvm_ffi_record${suffix}/tvm_ffi_build.json"
    CONTENT
      "{
  \"schema\": 1,
  \"runtime\": \"${runtime}\",
  \"tvm-ffi-build\": \"${version}\",
  \"cmake\": \"${CMAKE_VERSION}\",
  \"compilers\": {
    ${compilers}
  },${architectures}
  \"libraries\": [
    $<JOIN:$<GENEX_EVAL:$<TARGET_PROPERTY:_tvm_ffi_record,_tvm_ffi_libraries>>,$<COMMA>\n    >
  ]
}
"
  )
endfunction()
