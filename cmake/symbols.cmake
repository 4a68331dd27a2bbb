include_guard(GLOBAL)

# _tvm_ffi_set_visibility(<target> [<glob>...])
#
# Hide what <target> defines, unless EXPORT names some of it: a compiler that hides a symbol leaves nothing for a linker to
# export, and all else the export list hides. TVM_FFI_DLL_EXPORT marks its symbols as visible either way.
function(_tvm_ffi_set_visibility target)
  if(ARGN AND NOT "*" IN_LIST ARGN)
    set(is_by_list TRUE)
  else()
    set(is_by_list FALSE)
  endif()
  foreach(language IN ITEMS C CXX CUDA)
    get_target_property(preset "${target}" ${language}_VISIBILITY_PRESET)
    if(is_by_list)
      # Also where CMAKE_CXX_VISIBILITY_PRESET says something else for all targets.
      set_target_properties("${target}" PROPERTIES ${language}_VISIBILITY_PRESET default)
    elseif(NOT preset)
      set_target_properties("${target}" PROPERTIES ${language}_VISIBILITY_PRESET hidden)
    endif()
  endforeach()
  get_property(inlines_set TARGET "${target}" PROPERTY VISIBILITY_INLINES_HIDDEN SET)
  if(is_by_list)
    set_target_properties("${target}" PROPERTIES VISIBILITY_INLINES_HIDDEN OFF)
  elseif(NOT inlines_set)
    set_target_properties("${target}" PROPERTIES VISIBILITY_INLINES_HIDDEN ON)
  endif()
endfunction()

# Hidden visibility leaves what headers mark as visible themselves: the type information of the runtime's classes and
# instantiations of the standard library. Exported, they let one extension bind to another's copy.
function(_tvm_ffi_export_only target type)
  if("*" IN_LIST ARGN)
    # Everything that is visible; and room for a version script of the project's own, of which a link takes one.
    return()
  endif()
  foreach(glob IN LISTS ARGN)
    if(NOT glob MATCHES "^[]A-Za-z0-9_.$?*[]+$")
      message(
        FATAL_ERROR
        "tvm_ffi_configure_target(${target}): EXPORT takes globs of symbols as the linker sees them, not \"${glob}\"; "
        "for C++ that is the mangled name"
      )
    endif()
  endforeach()
  set(names "${ARGN}")
  list(FILTER names EXCLUDE REGEX "[]?*[]")
  if(WIN32)
    _tvm_ffi_export_on_windows("${target}" ${names})
  endif()
  _tvm_ffi_check_exports("${target}" ${names})
  set(globs "__tvm_ffi_*" ${ARGN})
  if(type STREQUAL "MODULE_LIBRARY")
    # An extension module for CPython that also speaks TVM-FFI (pybind11, nanobind).
    list(APPEND globs "PyInit_*" "PyModExport_*")
  endif()
  if(APPLE)
    foreach(glob IN LISTS globs)
      target_link_options("${target}" PRIVATE "LINKER:-exported_symbol,_${glob}")
    endforeach()
  elseif(UNIX)
    set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}.exports")
    list(JOIN globs ";\n    " text)
    # Not LINKER:, which would split the path at a comma.
    _tvm_ffi_link_by_file(
      "${target}"
      "${script}"
      "{\n  global:\n    ${text};\n  local:\n    *;\n};\n"
      "-Xlinker \"--version-script=<file>\""
    )
  endif()
endfunction()

# Only names: what a glob is for, no linker of Windows finds out. The mangling of C++ is another one with Microsoft's tools.
function(_tvm_ffi_export_on_windows target)
  set(names "${ARGN}")
  if(MSVC OR "${CMAKE_C_SIMULATE_ID} ${CMAKE_CXX_SIMULATE_ID}" MATCHES "MSVC")
    list(FILTER names EXCLUDE REGEX "^_Z")
    foreach(name IN LISTS names)
      target_link_options("${target}" PRIVATE "LINKER:/EXPORT:${name}")
    endforeach()
  elseif(names)
    set(definitions "${CMAKE_CURRENT_BINARY_DIR}/${target}-exports.def")
    list(JOIN names "\n  " text)
    _tvm_ffi_link_by_file("${target}" "${definitions}" "EXPORTS\n  ${text}\n" "\"<file>\"")
  endif()
endfunction()

# Write a file for the linker, and link <target> with an option, in which "<file>" is its path, again when it has changed.
function(_tvm_ffi_link_by_file target file content option)
  # GENERATE keeps the file's time when its content stays.
  file(GENERATE OUTPUT "${file}" CONTENT "${content}")
  set(path "${file}")
  if(path MATCHES "[$]")
    # CMake before 4.0 passes the dollar sign of a link option to the shell, which expands a variable. Linkers run in
    # the directory of the project with Ninja, and in that of the target with make.
    set(start "${CMAKE_CURRENT_BINARY_DIR}")
    if(CMAKE_GENERATOR MATCHES "Ninja")
      set(start "${CMAKE_BINARY_DIR}")
    endif()
    file(RELATIVE_PATH path "${start}" "${file}")
  endif()
  string(REPLACE "<file>" "${path}" option "${option}")
  target_link_options("${target}" PRIVATE "SHELL:${option}")
  set_property(TARGET "${target}" APPEND PROPERTY LINK_DEPENDS "${file}")
endfunction()

# When <target> was linked, stop unless it exports each of some names. A linker does not say that a symbol in its export
# list is hidden, or that there is none.
function(_tvm_ffi_check_exports target)
  set(names "${ARGN}")
  if(WIN32)
    # Those of another compiler's mangling.
    list(FILTER names EXCLUDE REGEX "^_Z")
  endif()
  if(NOT names)
    return()
  endif()
  set(module tvm_ffi_build.cmake_steps.check_exports)
  _tvm_ffi_other_folder_of("${target}" folder)
  if(folder)
    # A step after linking can be added only there.
    _tvm_ffi_check_at_install("${target}" exports ${module} ${names})
    return()
  endif()
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  add_custom_command(
    TARGET "${target}"
    POST_BUILD
    COMMAND
      "${CMAKE_COMMAND}" -E env "PYTHONPATH=${python_path}" "${python}" -m ${module} "$<TARGET_FILE:${target}>" ${names}
    COMMENT "Checking what ${target} exports"
    VERBATIM
  )
endfunction()

# Let a library take symbols of the C++ library from there, with their versions. Releases of the runtime before 0.1.13.post2
# export some without a version; a linker that meets them first takes those, and the extension fails on later releases.
# It has to be asked for by name, since compilers put it last. An older toolset's has a static part for what systems lack,
# which then goes into the extension, too.
function(_tvm_ffi_link_cxx_library_first target type)
  if(
    NOT CMAKE_SYSTEM_NAME STREQUAL "Linux"
    OR NOT type MATCHES "SHARED|MODULE"
    OR NOT "stdc++" IN_LIST CMAKE_CXX_IMPLICIT_LINK_LIBRARIES
  )
    return()
  endif()
  # A project that links it statically, or another one, has its reasons.
  get_target_property(options "${target}" LINK_OPTIONS)
  get_property(of_folder DIRECTORY PROPERTY LINK_OPTIONS)
  set(flags "${CMAKE_CXX_FLAGS} ${CMAKE_SHARED_LINKER_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS} ${options} ${of_folder}")
  if(flags MATCHES "-static-libstdc|-stdlib=|-nostdlib|-nodefaultlibs")
    return()
  endif()
  target_link_libraries("${target}" PRIVATE "$<$<LINK_LANGUAGE:CXX>:stdc++>")
endfunction()
