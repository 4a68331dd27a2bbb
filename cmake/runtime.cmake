include_guard(GLOBAL)

# What tvm_ffi_build.config.cmake_variables answers.
set_property(
  GLOBAL
  PROPERTY
    _tvm_ffi_runtime_variables
      TVM_FFI_RUNTIME_VERSION
      TVM_FFI_RUNTIME_INCLUDE_DIR
      TVM_FFI_RUNTIME_DLPACK_INCLUDE_DIR
      TVM_FFI_RUNTIME_LIBRARY
      TVM_FFI_RUNTIME_LINK_LIBRARY
      TVM_FFI_RUNTIME_SOURCE_DIR
      TVM_FFI_BUILD_VERSION
)

# _tvm_ffi_locate_runtime(<error variable>)
#
# Sets the TVM_FFI_RUNTIME_* variables in the caller's scope, or <error variable> to one line that says what to do.
function(_tvm_ffi_locate_runtime out_error)
  set(${out_error} "" PARENT_SCOPE)
  get_property(names GLOBAL PROPERTY _tvm_ffi_runtime_variables)

  # From the plugin, or from an earlier call in this scope. All of them: one from elsewhere is not an answer. And still
  # there: the environment of an isolated build is gone when its build folder is configured again.
  set(known TRUE)
  foreach(name IN LISTS names)
    if(NOT DEFINED ${name})
      set(known FALSE)
    else()
      message(VERBOSE "${name}: ${${name}}")
    endif()
  endforeach()
  if(known AND NOT TVM_FFI_RUNTIME AND EXISTS "${TVM_FFI_RUNTIME_INCLUDE_DIR}")
    return()
  endif()

  # A version file is read in a scope of its own, so what it found out is kept in a global property: one Python
  # process for each configuration. Not in the cache, since the next configuration may meet another runtime.
  get_property(answer GLOBAL PROPERTY _tvm_ffi_runtime_answer)
  if(NOT answer)
    _tvm_ffi_ask_python(answer error)
    if(error)
      set(${out_error} "${error}" PARENT_SCOPE)
      return()
    endif()
    set_property(GLOBAL PROPERTY _tvm_ffi_runtime_answer "${answer}")
  endif()

  foreach(name IN LISTS names)
    # Taken out by name and not as a list: a path may hold a semicolon.
    if(NOT answer MATCHES "(^|\n)${name}=([^\n]*)")
      set(
        ${out_error}
        "tvm_ffi_build answered without ${name}; run: python -m pip install -U tvm-ffi-build"
        PARENT_SCOPE
      )
      return()
    endif()
    set(${name} "${CMAKE_MATCH_2}" PARENT_SCOPE)
  endforeach()
endfunction()

# _tvm_ffi_set_variables([PARENT_SCOPE])
#
# Set the variables of the runtime's own CMake package, and what the functions need to be set.
macro(_tvm_ffi_set_variables)
  set(tvm_ffi_VERSION "${TVM_FFI_RUNTIME_VERSION}" ${ARGN})
  set(tvm_ffi_INCLUDE_DIR "${TVM_FFI_RUNTIME_INCLUDE_DIR}" ${ARGN})
  set(tvm_ffi_DLPACK_INCLUDE_DIR "${TVM_FFI_RUNTIME_DLPACK_INCLUDE_DIR}" ${ARGN})
  set(tvm_ffi_LIB_FILES "${TVM_FFI_RUNTIME_LINK_LIBRARY}" ${ARGN})
  # For the record: functions are called in folders that do not see variables of this one.
  set_property(GLOBAL PROPERTY _tvm_ffi_runtime_version "${TVM_FFI_RUNTIME_VERSION}")
  set_property(GLOBAL PROPERTY _tvm_ffi_build_version "${TVM_FFI_BUILD_VERSION}")
  if(NOT DEFINED CMAKE_CUDA_RUNTIME_LIBRARY)
    # As it does: CMake's default would put a CUDA runtime of its own into each extension.
    set(CMAKE_CUDA_RUNTIME_LIBRARY Shared ${ARGN})
  endif()
  if(APPLE)
    # Before 4.0, CMake knows of rpaths only where it can ask the machine for its macOS, so not where it cross-compiles:
    # Darwin.cmake leaves these empty, and then no library has LC_RPATH or an id with @rpath. Every macOS since 10.5 has
    # them. CMake reads these in the directory of each target; _tvm_ffi_link_run_paths is for those elsewhere.
    foreach(
      _tvm_ffi_language
      IN
      ITEMS C CXX OBJC OBJCXX Fortran
    )
      if(NOT CMAKE_SHARED_LIBRARY_RUNTIME_${_tvm_ffi_language}_FLAG)
        set(CMAKE_SHARED_LIBRARY_RUNTIME_${_tvm_ffi_language}_FLAG "-Wl,-rpath," ${ARGN})
      endif()
    endforeach()
    # For tvm_ffi_hide_static_linked_lib_symbols. In lower case: CMAKE_LINK_LIBRARY_USING_<FEATURE> in the manual reserves
    # names in upper case for CMake.
    set(CMAKE_LINK_LIBRARY_USING__tvm_ffi_load_hidden "LINKER:-load_hidden,<LIBRARY>" ${ARGN})
    set(CMAKE_LINK_LIBRARY_USING__tvm_ffi_load_hidden_SUPPORTED TRUE ${ARGN})
  endif()
endmacro()

# Ask tvm_ffi_build, of the very installation that this file belongs to, where the runtime is.
function(_tvm_ffi_ask_python out_answer out_error)
  set(${out_answer} "" PARENT_SCOPE)
  set(${out_error} "" PARENT_SCOPE)
  _tvm_ffi_find_python(python)
  if(NOT python)
    set(
      ${out_error}
      "no Python interpreter was found to look up the TVM-FFI runtime with; pass -DTVM_FFI_PYTHON=<path of a Python 3.9 or newer>"
      PARENT_SCOPE
    )
    return()
  endif()
  set(arguments -m tvm_ffi_build.config --cmake-variables)
  set(runtime "${TVM_FFI_RUNTIME}")
  if(NOT runtime)
    set(runtime "$ENV{TVM_FFI_RUNTIME}")
  endif()
  if(runtime)
    # Relative to the project, whatever folder a command runs in.
    get_filename_component(runtime "${runtime}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    list(APPEND arguments --runtime "${runtime}")
  endif()
  _tvm_ffi_python_path(python_path)
  # In this folder and not in the project's: "python -m" puts the working directory first on the module search path.
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env "PYTHONPATH=${python_path}" PYTHONUTF8=1 "${python}" ${arguments}
    ENCODING UTF8
    WORKING_DIRECTORY "${CMAKE_CURRENT_FUNCTION_LIST_DIR}"
    RESULT_VARIABLE result
    OUTPUT_VARIABLE answer
    ERROR_VARIABLE error
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_STRIP_TRAILING_WHITESPACE
  )
  if(NOT result EQUAL 0)
    # The command's own error with its hint, or the last line, which ends a traceback.
    string(REGEX REPLACE "^(.*\n)?tvm-ffi-config: error: " "" own "${error}")
    if(own STREQUAL error)
      string(REGEX REPLACE "^.*\n" "" error "${error}")
    else()
      string(REPLACE "\nhint: " "; " error "${own}")
    endif()
    set(
      ${out_error}
      "${error} (asked ${python}; pass -DTVM_FFI_PYTHON=<path of a Python 3.9 or newer> to ask another)"
      PARENT_SCOPE
    )
    return()
  endif()
  set(${out_answer} "${answer}" PARENT_SCOPE)
endfunction()

# The Python to run tools with: the plugin's, one that was asked for, one that the project found, or the first found.
function(_tvm_ffi_find_python out_python)
  foreach(candidate IN ITEMS TVM_FFI_PYTHON Python_EXECUTABLE Python3_EXECUTABLE)
    if(${candidate})
      set(${out_python} "${${candidate}}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  find_package(Python 3.9 COMPONENTS Interpreter QUIET)
  set(${out_python} "${Python_EXECUTABLE}" PARENT_SCOPE)
endfunction()

# PYTHONPATH under which any Python finds the tvm_ffi_build that this file belongs to, and the runtime installed beside
# it. After the user's own entries, which may name a source checkout of the runtime.
function(_tvm_ffi_python_path out_path)
  get_filename_component(root "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/.." ABSOLUTE) # <checkout>/cmake
  if(NOT EXISTS "${root}/tvm_ffi_build/__init__.py") # <site-packages>/tvm_ffi_build/data/cmake
    get_filename_component(root "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../.." ABSOLUTE)
  endif()
  if(NOT "$ENV{PYTHONPATH}" STREQUAL "")
    if(CMAKE_HOST_WIN32)
      set(root "$ENV{PYTHONPATH};${root}")
    else()
      set(root "$ENV{PYTHONPATH}:${root}")
    endif()
  endif()
  set(${out_path} "${root}" PARENT_SCOPE)
endfunction()

# The headers of this package, tvm_ffi_build/signature.h. A copy in the build directory: an isolated build environment has
# another path each time, by which compiler caches would take every file for a new one.
file(COPY "${CMAKE_CURRENT_LIST_DIR}/include/" DESTINATION "${CMAKE_BINARY_DIR}/_tvm_ffi_include")
