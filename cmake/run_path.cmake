include_guard(GLOBAL)

# For a library that is installed without tvm_ffi_install: directly at the install prefix, which with
# scikit-build-core is the package's folder.
function(_tvm_ffi_default_run_path target)
  get_property(told TARGET "${target}" PROPERTY _tvm_ffi_run_path SET)
  if(NOT told)
    _tvm_ffi_run_path_from("${target}" ".")
  endif()
endfunction()

# Relative, so that it holds in whatever site-packages the wheel is installed, and no path of this machine is kept.
# Windows has no run paths: there tvm_ffi is imported first.
function(_tvm_ffi_run_path_from target destination)
  if(WIN32)
    return()
  endif()
  # Replace what an earlier call set, keep what the project set.
  get_target_property(run_paths "${target}" INSTALL_RPATH)
  if(NOT run_paths)
    set(run_paths "")
  endif()
  get_target_property(earlier "${target}" _tvm_ffi_run_path)
  if(earlier)
    list(REMOVE_ITEM run_paths "${earlier}")
  endif()

  set(site_packages "${CMAKE_INSTALL_PREFIX}")
  if(SKBUILD_PLATLIB_DIR)
    set(site_packages "${SKBUILD_PLATLIB_DIR}")
  endif()
  get_filename_component(folder "${destination}" ABSOLUTE BASE_DIR "${CMAKE_INSTALL_PREFIX}")
  file(RELATIVE_PATH below "${site_packages}" "${folder}")
  if(below MATCHES "^\\.\\.(/|$)" OR IS_ABSOLUTE "${below}")
    message(
      STATUS
      "tvm_ffi_install(${target}): ${folder} is not in ${site_packages}, so the library gets no rpath; "
      "import tvm_ffi before it is loaded"
    )
    set_target_properties("${target}" PROPERTIES INSTALL_RPATH "${run_paths}" _tvm_ffi_run_path "")
    return()
  endif()
  file(RELATIVE_PATH run_path "${folder}" "${site_packages}/tvm_ffi/lib")
  if(APPLE)
    set(origin "@loader_path")
  else()
    set(origin "$ORIGIN")
  endif()
  set(run_path "${origin}/${run_path}")
  list(APPEND run_paths "${run_path}")
  _tvm_ffi_companions("${target}" companions)
  if(companions AND NOT origin IN_LIST run_paths)
    # Installed beside it, as a rule.
    list(APPEND run_paths "${origin}")
  endif()
  set_target_properties("${target}" PROPERTIES INSTALL_RPATH "${run_paths}" _tvm_ffi_run_path "${run_path}")
  if(APPLE)
    _tvm_ffi_link_run_paths("${target}")
  endif()
  get_target_property(type "${target}" TYPE)
  if(SKBUILD_STATE STREQUAL "wheel" AND NOT type STREQUAL "EXECUTABLE") # which may have to run during the build
    # Linked for its place in the wheel from the start. Otherwise CMake links it with the absolute path of the runtime
    # and blanks that out when it installs, which leaves room as long as the path: other bytes in each environment.
    set_target_properties("${target}" PROPERTIES BUILD_WITH_INSTALL_RPATH ON)
  endif()
endfunction()

# Give a target its run paths and its id where CMake does not, because in its directory there is no flag for them: it was
# added before find_package(tvm_ffi), which sets the flag. Read when the build system is written, so later ones count.
function(_tvm_ffi_link_run_paths target)
  get_target_property(folder "${target}" SOURCE_DIR)
  get_directory_property(flag DIRECTORY "${folder}" DEFINITION CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG)
  get_target_property(done "${target}" _tvm_ffi_links_run_paths)
  if(flag OR done)
    return()
  endif()
  set(paths "$<TARGET_PROPERTY:${target},INSTALL_RPATH>")
  target_link_options("${target}" PRIVATE "$<$<BOOL:${paths}>:-Wl,-rpath,$<JOIN:${paths},;-Wl,-rpath,>>")
  get_target_property(id "${target}" INSTALL_NAME_DIR)
  if(NOT id)
    set_target_properties("${target}" PROPERTIES INSTALL_NAME_DIR "@rpath" BUILD_WITH_INSTALL_NAME_DIR ON)
  endif()
  set_target_properties("${target}" PROPERTIES _tvm_ffi_links_run_paths TRUE)
endfunction()

# The shared libraries of the same build that a target links to, as far as it was told by now.
function(_tvm_ffi_companions target out_libraries)
  set(companions "")
  get_target_property(libraries "${target}" LINK_LIBRARIES)
  foreach(library IN LISTS libraries)
    # Not a runtime that is built from source: Python brings its own.
    if(TARGET "${library}" AND NOT library MATCHES "^tvm_ffi(::|_)shared$")
      get_target_property(type "${library}" TYPE)
      get_target_property(imported "${library}" IMPORTED)
      if(type STREQUAL "SHARED_LIBRARY" AND NOT imported)
        list(APPEND companions "${library}")
      endif()
    endif()
  endforeach()
  set(${out_libraries} "${companions}" PARENT_SCOPE)
endfunction()
