# SPDX-License-Identifier: MIT
# Models that are compiled once and linked, instead of compiled again by every source that uses them.

# trm_instantiate(<target> HEADER <header> TYPES <type>... [LIBRARIES <library>...])
# Makes the static library <target> with one source `template class <type>;` for each type, and the header <target>.hpp,
# which has HEADER and `extern template class <type>;` for each. A program links <target> and includes <target>.hpp.
#   HEADER     defines the model, and includes what the types come from
#   TYPES      trm::trainer<...>, trm::solver<...> or other class templates
#   LIBRARIES  what <target> is linked with; default trm::cpu
function(trm_instantiate target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER" "TYPES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_HEADER OR NOT arg_TYPES)
    message(FATAL_ERROR "trm_instantiate(${target}): HEADER and TYPES are needed, and but LIBRARIES nothing else")
  endif()
  if(NOT arg_LIBRARIES)
    set(arg_LIBRARIES trm::cpu)
  endif()
  cmake_path(ABSOLUTE_PATH arg_HEADER BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
  if(NOT EXISTS "${arg_HEADER}")
    message(FATAL_ERROR "trm_instantiate(${target}): there is no header ${arg_HEADER}")
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.instantiated")
  set(declarations "")
  set(sources "")
  set(number 0)
  foreach(type IN LISTS arg_TYPES)
    string(APPEND declarations "extern template class ${type};\n")
    # Written only where it differs, so that configuring again compiles nothing again.
    file(CONFIGURE OUTPUT "${folder}/${number}.cpp" @ONLY CONTENT "#include \"${arg_HEADER}\"\ntemplate class ${type};\n")
    list(APPEND sources "${folder}/${number}.cpp")
    math(EXPR number "${number} + 1")
  endforeach()
  file(CONFIGURE OUTPUT "${folder}/include/${target}.hpp" @ONLY
       CONTENT "#pragma once\n#include \"${arg_HEADER}\"\n${declarations}")

  add_library(${target} STATIC ${sources})
  target_link_libraries(${target} PUBLIC ${arg_LIBRARIES})
  target_include_directories(${target} INTERFACE "${folder}/include")
endfunction()
