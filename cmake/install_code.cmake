include_guard(GLOBAL)

# _tvm_ffi_config_suffix(<variable> <variable>)
#
# What to add to the name of a generated file that differs between configurations: for file(GENERATE), and for code that
# runs at install time.
function(_tvm_ffi_config_suffix out_suffix out_at_install)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(multi_config)
    set(${out_suffix} "-$<CONFIG>" PARENT_SCOPE)
    set(${out_at_install} "-\${CMAKE_INSTALL_CONFIG_NAME}" PARENT_SCOPE)
  else()
    set(${out_suffix} "" PARENT_SCOPE)
    set(${out_at_install} "" PARENT_SCOPE)
  endif()
endfunction()

# _tvm_ffi_install_code(<code>)
#
# Run code at install time, whichever components are asked for. Without generator expressions, which depend on a policy of
# the project's directory.
function(_tvm_ffi_install_code code)
  set(every_component "")
  if(NOT CMAKE_VERSION VERSION_LESS 3.21)
    set(every_component ALL_COMPONENTS)
  endif()
  install(CODE "${code}" ${every_component})
endfunction()

# _tvm_ffi_check_at_install(<target> <name> <module> <argument>...)
#
# Let a Python module look at the library of <target> before it is installed, and stop the installation if it fails. <name>
# is that of the script which does so.
function(_tvm_ffi_check_at_install target name module)
  _tvm_ffi_find_python(python)
  _tvm_ffi_python_path(python_path)
  _tvm_ffi_config_suffix(suffix suffix_at_install)
  set(arguments "")
  foreach(argument IN LISTS ARGN)
    string(APPEND arguments " [==[${argument}]==]")
  endforeach()
  # A script of its own, since it takes generator expressions.
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}-${name}")
  file(
    GENERATE OUTPUT "${script}${suffix}.cmake"
    CONTENT
      "if(NOT EXISTS [==[$<TARGET_FILE:${target}>]==])
  return() # not built, so not installed
endif()
execute_process(
  COMMAND [==[${CMAKE_COMMAND}]==] -E env [==[PYTHONPATH=${python_path}]==] [==[${python}]==]
    -m ${module} [==[$<TARGET_FILE:${target}>]==]${arguments}
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
  _tvm_ffi_install_code("set(script [==[${script}]==])\ninclude(\"\${script}${suffix_at_install}.cmake\")")
endfunction()
