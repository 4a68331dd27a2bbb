include_guard(GLOBAL)

# tvm_ffi_add_target_from_obj(<name> <object library>)
#
# Create the libraries <name>_static (alias <name>::static), <name>_shared (alias <name>::shared) and <name>_testing from
# one compilation. All are in <build>/lib, also with multi-config generators. <name>_testing is empty until you add sources
# to it.
function(tvm_ffi_add_target_from_obj name objects)
  _tvm_ffi_require_target(tvm_ffi_add_target_from_obj "${objects}" OBJECT_LIBRARY)
  set(empty "${CMAKE_CURRENT_BINARY_DIR}/${name}_testing.cc")
  file(WRITE "${empty}.new" "// Keeps ${name}_testing a library while it has no sources of its own.\n")
  configure_file("${empty}.new" "${empty}" COPYONLY)

  add_library(${name}_static STATIC "$<TARGET_OBJECTS:${objects}>")
  add_library(${name}_shared SHARED "$<TARGET_OBJECTS:${objects}>")
  add_library(${name}_testing SHARED "${empty}")
  add_library(${name}::static ALIAS ${name}_static)
  add_library(${name}::shared ALIAS ${name}_shared)
  set_target_properties(${name}_static PROPERTIES OUTPUT_NAME "${name}_static")
  set_target_properties(${name}_shared PROPERTIES OUTPUT_NAME "${name}")
  set_target_properties(${name}_testing PROPERTIES OUTPUT_NAME "${name}_testing")
  foreach(target IN ITEMS ${name}_static ${name}_shared ${name}_testing)
    foreach(kind IN ITEMS ARCHIVE LIBRARY RUNTIME)
      # A generator expression, even one that says nothing, keeps CMake from adding <config>/.
      set_target_properties(${target} PROPERTIES ${kind}_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib$<0:>")
    endforeach()
  endforeach()
  if(WIN32)
    target_compile_definitions("${objects}" PRIVATE TVM_FFI_EXPORTS)
  endif()
  tvm_ffi_add_apple_dsymutil(${name}_shared)
  tvm_ffi_add_apple_dsymutil(${name}_testing)
endfunction()
