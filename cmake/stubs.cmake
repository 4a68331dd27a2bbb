include_guard(GLOBAL)

# A step of the build that keeps the stubs below ARG_STUB_DIR up to date: of the default build, run again when a library or
# a stub has changed. What the source tree cannot take, because it is read-only, a wheel gets from the build tree.
#
# There is one step a folder, which loads the libraries of all targets that name the folder: a file may have blocks for
# what different libraries register.
function(_tvm_ffi_generate_stubs target)
  get_filename_component(folder "${ARG_STUB_DIR}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  if(
    CMAKE_CROSSCOMPILING
    AND NOT (CMAKE_CROSSCOMPILING_EMULATOR AND TVM_FFI_TARGET_PYTHON)
    AND "$ENV{TVM_FFI_READ_SNAPSHOTS}" STREQUAL ""
  )
    # The library is for another machine than the one that this Python is for.
    message(
      STATUS
      "Stubs of ${target}: those in ${folder} are used as they are, since this is a cross build; to have them made, "
      "set CMAKE_CROSSCOMPILING_EMULATOR, and TVM_FFI_TARGET_PYTHON to a Python with the runtime for it to run"
    )
    return()
  endif()
  get_property(step GLOBAL PROPERTY "_tvm_ffi_stubs_of ${folder}")
  # Another target may begin it.
  if(NOT IS_DIRECTORY "${folder}" AND NOT ARG_STUB_INIT AND NOT step)
    message(FATAL_ERROR "tvm_ffi_configure_target(${target}): STUB_DIR ${folder} is not a directory")
  endif()

  set(arguments --library "$<TARGET_FILE:${target}>")
  if(ARG_STUB_INIT)
    # Empty is as not given: older CMake knows no difference.
    if("${ARG_STUB_PKG}" STREQUAL "")
      set(ARG_STUB_PKG "${target}")
      if(SKBUILD_PROJECT_NAME)
        set(ARG_STUB_PKG "${SKBUILD_PROJECT_NAME}")
      endif()
    endif()
    if("${ARG_STUB_PREFIX}" STREQUAL "")
      # Registered names are identifiers, distributions may have hyphens.
      string(REPLACE "-" "_" ARG_STUB_PREFIX "${ARG_STUB_PKG}.")
    endif()
    list(APPEND arguments --init "${ARG_STUB_PKG}" "${target}" "${ARG_STUB_PREFIX}")
  endif()
  _tvm_ffi_require_packaged("${target}" "${folder}" "${ARG_STUB_INIT}" "${ARG_STUB_PREFIX}")

  if(NOT step)
    set(step "${target}_stubs")
    _tvm_ffi_add_stub_step("${step}" "${folder}")
    set_property(GLOBAL PROPERTY "_tvm_ffi_stubs_of ${folder}" "${step}")
  endif()
  set_property(TARGET "${step}" APPEND PROPERTY _tvm_ffi_stub_arguments ${arguments})
  # The libraries were linked for their places in a wheel, where those of the same project lie beside them.
  set(folders "$<TARGET_FILE_DIR:${target}>" "${CMAKE_BINARY_DIR}")
  _tvm_ffi_companions("${target}" companions)
  foreach(library IN LISTS companions)
    list(APPEND folders "$<TARGET_FILE_DIR:${library}>")
  endforeach()
  set_property(TARGET "${step}" APPEND PROPERTY _tvm_ffi_stub_folders ${folders})
  set_property(TARGET "${step}" APPEND PROPERTY _tvm_ffi_stub_depends "${target}" "$<TARGET_FILE:${target}>")
endfunction()

# Stop where no wheel takes the stubs from. TVM_FFI_WHEEL_PACKAGES has the directories that it takes packages from; it is
# empty where that is not known, or where the project installs its Python files itself.
function(_tvm_ffi_require_packaged target directory starts prefix)
  if("${TVM_FFI_WHEEL_PACKAGES}" STREQUAL "")
    return()
  endif()
  string(REGEX REPLACE "\\.$" "" package "${prefix}")
  string(REPLACE "." "/" package "${package}")
  get_filename_component(directory "${directory}" REALPATH)
  foreach(packaged IN LISTS TVM_FFI_WHEEL_PACKAGES)
    get_filename_component(packaged "${packaged}" REALPATH)
    string(FIND "${directory}/" "${packaged}/" directory_is_in_it)
    string(FIND "${directory}/${package}/" "${packaged}/" package_is_in_it)
    string(FIND "${packaged}/" "${directory}/" it_is_in_directory)
    if(
      directory_is_in_it EQUAL 0
      OR (starts AND package_is_in_it EQUAL 0)
      OR (NOT starts AND it_is_in_directory EQUAL 0)
    )
      return()
    endif()
  endforeach()
  set(stubs "${directory}")
  if(starts)
    string(APPEND stubs "/${package}")
  endif()
  list(JOIN TVM_FFI_WHEEL_PACKAGES " or " packages)
  message(
    FATAL_ERROR
    "tvm_ffi_configure_target(${target}): stubs would be written to ${stubs}, but the wheel takes packages from ${packages}; "
    "set wheel.packages in [tool.scikit-build] to take ${stubs}, or change STUB_DIR"
  )
endfunction()

# What the step loads comes from its properties, since later calls may add to it.
function(_tvm_ffi_add_stub_step step folder)
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  set(loader "")
  if(CMAKE_CROSSCOMPILING AND NOT "$ENV{TVM_FFI_READ_SNAPSHOTS}" STREQUAL "")
    # Of a release for several platforms: what the library of this machine's build registers, they all do.
    list(APPEND loader "--read-snapshot=$ENV{TVM_FFI_READ_SNAPSHOTS}/${step}.json")
  elseif(CMAKE_CROSSCOMPILING)
    foreach(word IN LISTS CMAKE_CROSSCOMPILING_EMULATOR TVM_FFI_TARGET_PYTHON)
      list(APPEND loader "--python=${word}")
    endforeach()
  elseif(NOT "$ENV{TVM_FFI_WRITE_SNAPSHOTS}" STREQUAL "")
    list(APPEND loader "--write-snapshot=$ENV{TVM_FFI_WRITE_SNAPSHOTS}/${step}.json")
  endif()
  if(APPLE)
    set(variable DYLD_LIBRARY_PATH)
  else()
    set(variable LD_LIBRARY_PATH)
  endif()
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${step}.stamp")
  set(build_tree "${CMAKE_CURRENT_BINARY_DIR}/${step}")
  # The step runs again when a stub was edited; the step itself says which there are, where CMake can be told so.
  set(sources "")
  if(CMAKE_VERSION VERSION_LESS 3.21)
    file(GLOB_RECURSE sources "${folder}/*.py" "${folder}/*.pyi")
    list(INSERT sources 0 DEPENDS)
  else()
    set(sources DEPFILE "${stamp}.d")
  endif()
  set(loaded "$<GENEX_EVAL:$<TARGET_PROPERTY:${step},_tvm_ffi_stub_arguments>>")
  set(folders "$<REMOVE_DUPLICATES:$<GENEX_EVAL:$<TARGET_PROPERTY:${step},_tvm_ffi_stub_folders>>>")
  # As one argument, also where folders are separated as elements of a list are.
  string(REPLACE ";" "\\;" python_path "${python_path}")
  # In the build folder: in one with a module of a standard name, Python would import from there.
  add_custom_command(
    OUTPUT "${stamp}"
    COMMAND
      "${CMAKE_COMMAND}" -E env "PYTHONPATH=${python_path}" "${variable}=$<JOIN:${folders},:>:$ENV{${variable}}"
      "${python}" -m tvm_ffi_build.cmake_steps.stubs "${folder}" "${loaded}" ${loader} --build-tree "${build_tree}"
      --stamp "${stamp}"
    DEPENDS "$<GENEX_EVAL:$<TARGET_PROPERTY:${step},_tvm_ffi_stub_depends>>" ${sources}
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
    COMMENT "Stubs in ${folder}"
    COMMAND_EXPAND_LISTS
    VERBATIM
  )
  add_custom_target("${step}" ALL DEPENDS "${stamp}")

  # In an editable install the files of the source tree are used; installed ones would hide them.
  if(SKBUILD_STATE STREQUAL "wheel")
    _tvm_ffi_install_stubs("${folder}" "${build_tree}")
  endif()
endfunction()

# Install what the source tree has not, or has in another state.
function(_tvm_ffi_install_stubs folder build_tree)
  # Of a folder that is part of a package, the packages above it belong to the path in the wheel.
  set(below "")
  set(parent "${folder}")
  while(EXISTS "${parent}/__init__.py")
    get_filename_component(name "${parent}" NAME)
    set(below "${name}/${below}")
    get_filename_component(parent "${parent}" DIRECTORY)
  endwhile()
  set(
    code
    "set(source [==[${folder}]==])
set(made [==[${build_tree}]==])
set(installed [==[${SKBUILD_PLATLIB_DIR}/${below}]==])
file(GLOB_RECURSE files RELATIVE \"\${made}\" \"\${made}/*\")
foreach(file IN LISTS files)
  execute_process(
    COMMAND \"\${CMAKE_COMMAND}\" -E compare_files \"\${made}/\${file}\" \"\${source}/\${file}\"
    RESULT_VARIABLE differs
    OUTPUT_QUIET
    ERROR_QUIET
  )
  if(differs)
    get_filename_component(below \"\${file}\" DIRECTORY)
    file(INSTALL \"\${made}/\${file}\" DESTINATION \"\${installed}\${below}\")
  endif()
endforeach()"
  )
  install(CODE "${code}")
endfunction()
