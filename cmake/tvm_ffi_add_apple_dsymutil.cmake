include_guard(GLOBAL)

# tvm_ffi_add_apple_dsymutil(<target>)
#
# On macOS, collect the debug information of <target> into <library>.dSYM after linking. A Mach-O library only refers to the
# object files, which usually no longer exist when a user reads a backtrace. On other systems, do nothing.
function(tvm_ffi_add_apple_dsymutil target)
  _tvm_ffi_require_target(tvm_ffi_add_apple_dsymutil "${target}" SHARED_LIBRARY MODULE_LIBRARY EXECUTABLE)
  if(NOT APPLE)
    return()
  endif()
  _tvm_ffi_other_folder_of("${target}" folder)
  if(folder)
    # On by default, so nobody need have asked for it.
    message(
      WARNING
      "tvm_ffi_add_apple_dsymutil(${target}): no dSYM is made, since a step can be added only in ${folder}; call "
      "tvm_ffi_configure_target there, or with DEBUG_SYMBOL OFF"
    )
    return()
  endif()
  find_program(DSYMUTIL dsymutil)
  mark_as_advanced(DSYMUTIL)
  if(NOT DSYMUTIL)
    message(
      FATAL_ERROR
      "tvm_ffi_add_apple_dsymutil(${target}): dsymutil was not found; run: xcode-select --install, or turn it off with "
      "DEBUG_SYMBOL OFF"
    )
  endif()
  add_custom_command(
    TARGET "${target}"
    POST_BUILD
    COMMAND "${DSYMUTIL}" "$<TARGET_FILE:${target}>"
    COMMENT "Collecting debug information of ${target}"
    VERBATIM
  )
endfunction()
