include_guard(GLOBAL)

# tvm_ffi_install(<target>
#   [DESTINATION <directory>]  the DESTINATION of install(TARGETS <target>), relative to the install prefix (default .)
#   [SPLIT_DEBUG ON|OFF]       Linux: compile with debug information and install it as <library>.debug (default OFF)
#   [GUARD ON|OFF]             install _<target>_runtime.py, with which the generated loader raises an error on runtimes
#                              that the library is known to fail on (default: the STUB_INIT of the target)
# )
#
# Install the files that belong to an extension, and set its rpath to the runtime's library in site-packages:
#
#     install(TARGETS my_kernels DESTINATION my_kernels)
#     tvm_ffi_install(my_kernels DESTINATION my_kernels)
#
# The files are the dSYM on macOS, the PDB with MSVC if the linker creates one, and with SPLIT_DEBUG the debug file on Linux.
#
# If the library links to shared libraries of the same build, its rpath also contains its own directory, so call this
# function after target_link_libraries.
function(tvm_ffi_install target)
  set(call "tvm_ffi_install(${target})")
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "DESTINATION;SPLIT_DEBUG;GUARD" "")
  _tvm_ffi_check_arguments("${call}" DESTINATION SPLIT_DEBUG GUARD)
  _tvm_ffi_switch("${call}" SPLIT_DEBUG OFF)
  _tvm_ffi_require_target(tvm_ffi_install "${target}" SHARED_LIBRARY MODULE_LIBRARY EXECUTABLE)
  if(NOT DEFINED ARG_DESTINATION)
    set(ARG_DESTINATION ".")
  endif()

  get_property(has_loader TARGET "${target}" PROPERTY _tvm_ffi_has_loader)
  if(NOT has_loader)
    set(has_loader OFF)
  endif()
  _tvm_ffi_switch("${call}" GUARD ${has_loader})
  if(ARG_GUARD)
    _tvm_ffi_write_guard("${target}" "${ARG_DESTINATION}")
  endif()
  _tvm_ffi_run_path_from("${target}" "${ARG_DESTINATION}")
  _tvm_ffi_keep_one_file("${target}")
  if(APPLE)
    install(DIRECTORY "$<TARGET_FILE:${target}>.dSYM" DESTINATION "${ARG_DESTINATION}" OPTIONAL)
  elseif(MSVC)
    install(FILES "$<TARGET_PDB_FILE:${target}>" DESTINATION "${ARG_DESTINATION}" OPTIONAL)
  elseif(UNIX AND ARG_SPLIT_DEBUG)
    _tvm_ffi_split_debug("${target}")
    install(FILES "$<TARGET_FILE:${target}>.debug" DESTINATION "${ARG_DESTINATION}")
  endif()
endfunction()

# The three steps of the objcopy manual, section "--only-keep-debug". The link that debuggers follow survives strip.
function(_tvm_ffi_split_debug target)
  if(NOT CMAKE_OBJCOPY)
    message(FATAL_ERROR "tvm_ffi_install(${target}): SPLIT_DEBUG needs objcopy; install binutils")
  endif()
  _tvm_ffi_other_folder_of("${target}" folder)
  if(folder)
    message(
      FATAL_ERROR
      "tvm_ffi_install(${target}): with SPLIT_DEBUG, call this in the directory of ${target}: ${folder}"
    )
  endif()
  target_compile_options("${target}" PRIVATE "$<$<COMPILE_LANGUAGE:C,CXX>:-g>")
  # Linkers do not ask; the compilers of a toolchain for other platforms strip what has no debug information.
  target_link_options("${target}" PRIVATE -g)
  add_custom_command(
    TARGET "${target}"
    POST_BUILD
    COMMAND "${CMAKE_OBJCOPY}" --only-keep-debug "$<TARGET_FILE:${target}>" "$<TARGET_FILE:${target}>.debug"
    COMMAND "${CMAKE_OBJCOPY}" --strip-debug "$<TARGET_FILE:${target}>"
    COMMAND
      "${CMAKE_OBJCOPY}" --remove-section=.gnu_debuglink "--add-gnu-debuglink=$<TARGET_FILE:${target}>.debug"
      "$<TARGET_FILE:${target}>"
    COMMENT "Splitting the debug information off ${target}"
    VERBATIM
  )
endfunction()
