include_guard(GLOBAL)

# tvm_ffi_add_msvc_flags(<target>)
#
# With MSVC, add the options that the runtime's headers need: more sections for their many template instantiations,
# over-aligned storage, and windows.h without its min and max macros. With other compilers, do nothing.
function(tvm_ffi_add_msvc_flags target)
  _tvm_ffi_require_target(tvm_ffi_add_msvc_flags "${target}")
  if(NOT MSVC)
    return()
  endif()
  target_compile_definitions(
    "${target}"
    PUBLIC WIN32_LEAN_AND_MEAN NOMINMAX _CRT_SECURE_NO_WARNINGS _SCL_SECURE_NO_WARNINGS _ENABLE_EXTENDED_ALIGNED_STORAGE
  )
  target_compile_options("${target}" PRIVATE "$<$<COMPILE_LANGUAGE:C,CXX>:/bigobj;/Zc:inline;/Zi>")
endfunction()
