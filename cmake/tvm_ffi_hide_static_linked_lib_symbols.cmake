include_guard(GLOBAL)

# tvm_ffi_hide_static_linked_lib_symbols(<target>)
#
# Do not export symbols that <target> takes from static libraries. If a shared library exports parts of, for example,
# libstdc++_nonshared.a, other libraries in the process use them, and break when it changes.
#
# With GNU-like linkers, this applies to all static libraries. Apple's linker has no such option. There, the static
# libraries that <target> links directly are loaded hidden, so call this after target_link_libraries (CMake 3.24 or newer).
function(tvm_ffi_hide_static_linked_lib_symbols target)
  _tvm_ffi_require_target(tvm_ffi_hide_static_linked_lib_symbols "${target}" SHARED_LIBRARY MODULE_LIBRARY EXECUTABLE)
  if(APPLE)
    _tvm_ffi_load_archives_hidden("${target}")
  elseif(UNIX)
    target_link_options("${target}" PRIVATE "LINKER:--exclude-libs,ALL")
  endif()
endfunction()

# The link feature itself is defined in runtime.cmake: CMake looks it up in a directory's scope, not in a function's.
function(_tvm_ffi_load_archives_hidden target)
  if(CMAKE_VERSION VERSION_LESS 3.24)
    return()
  endif()
  get_target_property(libraries "${target}" LINK_LIBRARIES)
  foreach(library IN LISTS libraries)
    set(type "")
    if(TARGET "${library}")
      get_target_property(type "${library}" TYPE)
    endif()
    if(type STREQUAL "STATIC_LIBRARY" OR library MATCHES "[.]a$")
      set_target_properties("${target}" PROPERTIES "LINK_LIBRARY_OVERRIDE_${library}" _tvm_ffi_load_hidden)
    endif()
  endforeach()
endfunction()
