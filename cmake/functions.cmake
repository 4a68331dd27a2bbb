# Everything that a project may call, a file each.
include_guard(GLOBAL)

include("${CMAKE_CURRENT_LIST_DIR}/arguments.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/device_code.cmake")

include("${CMAKE_CURRENT_LIST_DIR}/add_tvm_ffi_cubin.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/add_tvm_ffi_fatbin.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_add_apple_dsymutil.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_add_msvc_flags.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_add_prefix_map.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_add_target_from_obj.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_configure_target.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_embed_bin_into.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_hide_static_linked_lib_symbols.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tvm_ffi_install.cmake")
