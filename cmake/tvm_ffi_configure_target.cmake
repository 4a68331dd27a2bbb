include_guard(GLOBAL)

# tvm_ffi_configure_target(<target>
#   [LINK_SHARED ON|OFF]    link the runtime's library (default ON; OFF for code that only uses the headers)
#   [LINK_HEADER ON|OFF]    see the runtime's headers (default ON)
#   [DEBUG_SYMBOL ON|OFF]   macOS: make a dSYM, which tvm_ffi_install ships (default ON)
#   [MSVC_FLAGS ON|OFF]     MSVC: the flags that the runtime's headers need (default ON)
#   [EXPORT <glob>...]      export more than the functions of the TVM-FFI ABI, by the linker's names; EXPORT "*" exports
#                           all that is visible
#   [STUB_DIR <folder>]     keep the Python stubs below <folder>, which contains the package, up to date; relative to the
#                           current source folder
#   [STUB_INIT ON|OFF]      make the stub files that do not exist yet (default OFF)
#   [STUB_PKG <name>]       with STUB_INIT: the Python distribution (default: the project's, else the target's name)
#   [STUB_PREFIX <prefix>]  with STUB_INIT: what the registered names start with (default "<STUB_PKG>.")
#   [STUB_TARGET python]    the language of the stubs
# )
#
# Make <target>, a library of this build, an extension that works with the runtime of any Python. It is short for:
#
#   target_link_libraries(<target> PRIVATE tvm_ffi::header tvm_ffi::shared)
#   tvm_ffi_add_prefix_map(<target> ${CMAKE_SOURCE_DIR})      # and the build's and the runtime's folders
#   tvm_ffi_hide_static_linked_lib_symbols(<target>)
#   tvm_ffi_add_apple_dsymutil(<target>)
#   tvm_ffi_add_msvc_flags(<target>)
#
# and hidden visibility, an export list, a run path to the runtime's library (tvm_ffi_install tells from where), and a
# check at install time that a wheel tagged for any Python 3 does not call into CPython.
#
# Static libraries keep their functions to themselves, those of the TVM-FFI ABI included: to build an extension in parts,
# use OBJECT libraries.
function(tvm_ffi_configure_target target)
  set(call "tvm_ffi_configure_target(${target})")
  set(
    values
    LINK_SHARED
    LINK_HEADER
    DEBUG_SYMBOL
    MSVC_FLAGS
    STUB_DIR
    STUB_INIT
    STUB_PKG
    STUB_PREFIX
    STUB_TARGET
  )
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "${values}" "EXPORT")
  _tvm_ffi_check_arguments("${call}")
  _tvm_ffi_switch("${call}" LINK_SHARED ON)
  _tvm_ffi_switch("${call}" LINK_HEADER ON)
  _tvm_ffi_switch("${call}" DEBUG_SYMBOL ON)
  _tvm_ffi_switch("${call}" MSVC_FLAGS ON)
  _tvm_ffi_switch("${call}" STUB_INIT OFF)
  _tvm_ffi_check_stub_arguments("${call}")
  _tvm_ffi_require_target(
    tvm_ffi_configure_target
    "${target}"
    SHARED_LIBRARY
    MODULE_LIBRARY
    OBJECT_LIBRARY
    STATIC_LIBRARY
    EXECUTABLE
  )
  get_target_property(type "${target}" TYPE)
  get_target_property(configured "${target}" TVM_FFI_CONFIGURED)
  if(configured)
    message(FATAL_ERROR "${call}: it was called for this target before; merge the two calls")
  endif()
  set_target_properties("${target}" PROPERTIES TVM_FFI_CONFIGURED TRUE)
  if(NOT type MATCHES "SHARED|MODULE")
    foreach(keyword IN ITEMS EXPORT STUB_DIR)
      if(ARG_${keyword})
        message(FATAL_ERROR "${call}: ${keyword} has a meaning only for a shared library, this is of type ${type}")
      endif()
    endforeach()
  endif()

  if(ARG_LINK_HEADER)
    target_link_libraries("${target}" PRIVATE tvm_ffi::header)
  endif()
  if(ARG_LINK_SHARED)
    target_link_libraries("${target}" PRIVATE tvm_ffi::shared)
  endif()
  _tvm_ffi_map_all_prefixes("${target}")
  _tvm_ffi_hide_symbols("${target}")
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

  if(WIN32)
    # load_lib_module looks for <target>.dll there; mingw would make it lib<target>.dll.
    set_target_properties("${target}" PROPERTIES PREFIX "")
  endif()
  tvm_ffi_hide_static_linked_lib_symbols("${target}")
  _tvm_ffi_default_run_path("${target}")
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
endfunction()

# What a library exports in spite of it is asked for: TVM_FFI_DLL_EXPORT marks its symbols as visible.
function(_tvm_ffi_hide_symbols target)
  foreach(language IN ITEMS C CXX CUDA)
    get_target_property(preset "${target}" ${language}_VISIBILITY_PRESET)
    if(NOT preset)
      set_target_properties("${target}" PROPERTIES ${language}_VISIBILITY_PRESET hidden)
    endif()
  endforeach()
  get_property(inlines_set TARGET "${target}" PROPERTY VISIBILITY_INLINES_HIDDEN SET)
  if(NOT inlines_set)
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
  set(globs "__tvm_ffi_*" ${ARGN})
  if(type STREQUAL "MODULE_LIBRARY")
    # An extension module for CPython that also speaks TVM-FFI (pybind11, nanobind).
    list(APPEND globs "PyInit_*")
  endif()
  if(APPLE)
    foreach(glob IN LISTS globs)
      target_link_options("${target}" PRIVATE "LINKER:-exported_symbol,_${glob}")
    endforeach()
  elseif(UNIX)
    set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}.exports")
    list(JOIN globs ";\n    " text)
    # GENERATE keeps the file's time when its content stays.
    file(GENERATE OUTPUT "${script}" CONTENT "{\n  global:\n    ${text};\n  local:\n    *;\n};\n")
    # Not LINKER:, which would split the path at a comma.
    target_link_options("${target}" PRIVATE "SHELL:-Xlinker \"--version-script=${script}\"")
    set_property(TARGET "${target}" APPEND PROPERTY LINK_DEPENDS "${script}")
  endif()
endfunction()

# For a wheel that claims to serve every Python 3: stop its installation if it does not. TVM_FFI_WHEEL_IS_AGNOSTIC
# comes from the scikit-build-core plugin, which knows the tag.
function(_tvm_ffi_check_agnostic target)
  if(NOT TVM_FFI_WHEEL_IS_AGNOSTIC)
    return()
  endif()
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  set(suffix "")
  set(suffix_at_install "")
  if(multi_config)
    set(suffix "-$<CONFIG>")
    set(suffix_at_install "-\${CMAKE_INSTALL_CONFIG_NAME}")
  endif()
  # A script of its own: generator expressions in install(CODE) depend on a policy of the project's directory.
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}-agnostic")
  file(
    GENERATE OUTPUT "${script}${suffix}.cmake"
    CONTENT
      "if(NOT EXISTS [==[$<TARGET_FILE:${target}>]==])
  return() # not built, so not installed
endif()
execute_process(
  COMMAND [==[${CMAKE_COMMAND}]==] -E env [==[PYTHONPATH=${python_path}]==] [==[${python}]==]
    -m tvm_ffi_build.binaries.agnostic [==[$<TARGET_FILE:${target}>]==]
  WORKING_DIRECTORY [==[${CMAKE_CURRENT_BINARY_DIR}]==]
  RESULT_VARIABLE result
  ERROR_VARIABLE error
  ERROR_STRIP_TRAILING_WHITESPACE
)
if(NOT result EQUAL 0)
  message(FATAL_ERROR \"\${error}\")
endif()
"
  )
  set(every_component "")
  if(NOT CMAKE_VERSION VERSION_LESS 3.21)
    set(every_component ALL_COMPONENTS)
  endif()
  install(CODE "set(script [==[${script}]==])\ninclude(\"\${script}${suffix_at_install}.cmake\")" ${every_component})
endfunction()

macro(_tvm_ffi_check_stub_arguments call)
  if(ARG_STUB_INIT AND NOT ARG_STUB_DIR)
    message(FATAL_ERROR "${call}: STUB_INIT needs STUB_DIR, the folder to make the stub files in")
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

# Runs the runtime's own generator after each link.
function(_tvm_ffi_generate_stubs target)
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  get_filename_component(folder "${ARG_STUB_DIR}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  if(NOT IS_DIRECTORY "${folder}" AND NOT ARG_STUB_INIT)
    message(FATAL_ERROR "tvm_ffi_configure_target(${target}): STUB_DIR ${folder} is not a folder")
  endif()
  set(arguments "${folder}" --dlls "$<TARGET_FILE:${target}>")
  if(ARG_STUB_INIT)
    if(NOT DEFINED ARG_STUB_PKG)
      set(ARG_STUB_PKG "${target}")
      if(SKBUILD_PROJECT_NAME)
        set(ARG_STUB_PKG "${SKBUILD_PROJECT_NAME}")
      endif()
    endif()
    if(NOT DEFINED ARG_STUB_PREFIX)
      set(ARG_STUB_PREFIX "${ARG_STUB_PKG}.")
    endif()
    list(
      APPEND arguments
      --init-lib
      "${target}"
      --init-pypkg
      "${ARG_STUB_PKG}"
      --init-prefix
      "${ARG_STUB_PREFIX}"
    )
  endif()
  # In the build folder: in the runtime's own folder, or in one with a module of a standard name, Python would import
  # from there.
  add_custom_command(
    TARGET "${target}"
    POST_BUILD
    COMMAND "${CMAKE_COMMAND}" -E env "PYTHONPATH=${python_path}" "${python}" -m tvm_ffi.stub.cli ${arguments}
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
    COMMENT "Generating the Python stubs of ${target}"
    VERBATIM
  )
endfunction()
