include_guard(GLOBAL)

# A wheel is a zip file, and cannot hold symbolic links: of a library with VERSION or SOVERSION it gets up to three copies,
# and a process that loads two of them has the library twice. So the properties are removed for wheels, from the target and
# from the shared libraries of the same build that it links to. Projects set them for other packages, which stay as they are.

# _tvm_ffi_keep_one_file(<target>)
#
# Look at <target> now, and again when all of its folder's CMakeLists.txt has been read.
function(_tvm_ffi_keep_one_file target)
  if(NOT SKBUILD_STATE)
    return()
  endif()
  _tvm_ffi_at_end_of_folder(_tvm_ffi_remove_versions "${target}")
endfunction()

function(_tvm_ffi_remove_versions target)
  _tvm_ffi_companions("${target}" companions)
  foreach(library IN LISTS target companions)
    get_target_property(aliased "${library}" ALIASED_TARGET)
    if(aliased)
      set(library "${aliased}")
    endif()
    set(found "")
    foreach(property IN ITEMS VERSION SOVERSION)
      get_property(is_set TARGET "${library}" PROPERTY ${property} SET)
      if(is_set)
        list(APPEND found ${property})
        set_property(TARGET "${library}" PROPERTY ${property})
      endif()
    endforeach()
    if(found)
      list(JOIN found " and " found)
      message(
        WARNING
        "tvm_ffi_install(${target}): ${found} of ${library} are ignored in a wheel, which would hold a copy of the "
        "library for each name, since it cannot hold symbolic links; set them for other packages only: "
        "if(NOT SKBUILD) set_target_properties(${library} PROPERTIES ...) endif()"
      )
    endif()
  endforeach()
endfunction()
