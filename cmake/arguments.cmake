include_guard(GLOBAL)

# _tvm_ffi_require_target(<function> <target> [<type>...])
#
# Stop unless <target> is a target of this build, of one of the types if any are given.
function(_tvm_ffi_require_target function target)
  if(NOT TARGET "${target}")
    get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
    _tvm_ffi_suggest(suggestion "${target}" ${targets})
    message(
      FATAL_ERROR
      "${function}(${target}): there is no target named \"${target}\"; ${suggestion}call add_library(${target} SHARED ...) before it"
    )
  endif()
  get_target_property(aliased "${target}" ALIASED_TARGET)
  get_target_property(imported "${target}" IMPORTED)
  if(aliased OR imported)
    message(FATAL_ERROR "${function}(${target}): \"${target}\" is an alias or imported; name the target itself")
  endif()
  get_target_property(type "${target}" TYPE)
  if(ARGN AND NOT type IN_LIST ARGN)
    list(JOIN ARGN ", " types)
    message(FATAL_ERROR "${function}(${target}): \"${target}\" is of type ${type}; it must be one of ${types}")
  endif()
endfunction()

# _tvm_ffi_suggest(<variable> <word> <known>...)
#
# Set <variable> to "did you mean <known>? " with the first known word that differs from <word> only in case and
# underscores, or by a few letters at one end; to nothing if there is none.
function(_tvm_ffi_suggest out_suggestion word)
  set(${out_suggestion} "" PARENT_SCOPE)
  string(TOUPPER "${word}" word)
  string(REPLACE "_" "" word "${word}")
  string(LENGTH "${word}" length)
  foreach(known IN LISTS ARGN)
    string(TOUPPER "${known}" candidate)
    string(REPLACE "_" "" candidate "${candidate}")
    string(LENGTH "${candidate}" candidate_length)
    string(FIND "${candidate}" "${word}" within)
    string(FIND "${word}" "${candidate}" around)
    math(EXPR difference "${candidate_length} - ${length}")
    if((NOT within EQUAL -1 OR NOT around EQUAL -1) AND difference LESS 4 AND difference GREATER -4)
      set(${out_suggestion} "did you mean ${known}? " PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# _tvm_ffi_other_folder_of(<target> <variable>)
#
# Set <variable> to the folder of <target>, or to nothing if that is this one: CMake adds sources that are made, and steps
# after linking, to targets of the same folder only.
function(_tvm_ffi_other_folder_of target out_folder)
  get_target_property(folder "${target}" SOURCE_DIR)
  if(folder STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    set(folder "")
  endif()
  set(${out_folder} "${folder}" PARENT_SCOPE)
endfunction()

# _tvm_ffi_check_arguments(<call> <keyword>...)
#
# After cmake_parse_arguments(PARSE_ARGV ... ARG ...) with these keywords in the caller: stop at a word that is none of
# them, and at a keyword without its value. <call> is what to name in the message.
macro(_tvm_ffi_check_arguments call)
  if(ARG_UNPARSED_ARGUMENTS)
    list(JOIN ARG_UNPARSED_ARGUMENTS " " _tvm_ffi_words)
    set(_tvm_ffi_keywords ${ARGN})
    list(GET ARG_UNPARSED_ARGUMENTS 0 _tvm_ffi_suggestion)
    _tvm_ffi_suggest(_tvm_ffi_suggestion "${_tvm_ffi_suggestion}" ${_tvm_ffi_keywords})
    list(JOIN _tvm_ffi_keywords ", " _tvm_ffi_keywords)
    message(
      FATAL_ERROR
      "${call}: unknown argument: ${_tvm_ffi_words}; ${_tvm_ffi_suggestion}it takes ${_tvm_ffi_keywords}"
    )
  endif()
  if(ARG_KEYWORDS_MISSING_VALUES)
    list(JOIN ARG_KEYWORDS_MISSING_VALUES ", " _tvm_ffi_words)
    message(FATAL_ERROR "${call}: without a value: ${_tvm_ffi_words}")
  endif()
endmacro()

# _tvm_ffi_switch(<call> <keyword> <default>)
#
# Normalise ARG_<keyword> of the caller to ON or OFF, or stop.
macro(_tvm_ffi_switch call keyword default)
  if(NOT DEFINED ARG_${keyword})
    set(ARG_${keyword} ${default})
  elseif("${ARG_${keyword}}" MATCHES "^([Oo][Nn]|[Yy][Ee][Ss]|[Tt][Rr][Uu][Ee]|1)$")
    set(ARG_${keyword} ON)
  elseif("${ARG_${keyword}}" MATCHES "^([Oo][Ff][Ff]|[Nn][Oo]|[Ff][Aa][Ll][Ss][Ee]|0)$")
    set(ARG_${keyword} OFF)
  else()
    message(FATAL_ERROR "${call}: ${keyword} takes ON or OFF, not \"${ARG_${keyword}}\"")
  endif()
endmacro()
