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
