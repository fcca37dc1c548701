# SPDX-License-Identifier: MIT
# trm_build_facts: what programs say of their build. The commit is asked for at every build; only this one object is
# compiled again when it has changed.
include_guard(GLOBAL)

set(commit_dir "${PROJECT_BINARY_DIR}/generated")
add_custom_target(
  trm_commit
  BYPRODUCTS "${commit_dir}/trm_commit.hpp"
  COMMAND "${CMAKE_COMMAND}" "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}" "-DOUTPUT=${commit_dir}/trm_commit.hpp"
          -P "${PROJECT_SOURCE_DIR}/cmake/commit.cmake"
  VERBATIM)

add_library(trm_build_facts OBJECT "${PROJECT_SOURCE_DIR}/examples/program/build_facts.cpp")
add_dependencies(trm_build_facts trm_commit)
target_link_libraries(trm_build_facts PRIVATE trm_development)
target_include_directories(trm_build_facts PRIVATE "${commit_dir}")
set(flags "${CMAKE_CXX_FLAGS}")
foreach(config IN ITEMS Release Debug RelWithDebInfo MinSizeRel)
  string(TOUPPER ${config} upper)
  string(APPEND flags "$<$<CONFIG:${config}>: ${CMAKE_CXX_FLAGS_${upper}}>")
endforeach()
string(REPLACE "\\" "\\\\" flags "${flags}")
string(REPLACE "\"" "\\\"" flags "${flags}")
if(TRM_SANITIZE)
  string(APPEND flags " -fsanitize=address,undefined")
endif()
target_compile_definitions(trm_build_facts PRIVATE "TRM_FLAGS=\"${flags}\"")
