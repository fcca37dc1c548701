# SPDX-License-Identifier: MIT
# What the project's own tests, examples and benchmarks are compiled with. Consumers see none of it.

get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(PROJECT_IS_TOP_LEVEL AND NOT is_multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_EXTENSIONS OFF)

add_library(trm_development INTERFACE)
target_link_libraries(trm_development INTERFACE trm::cpu)
target_compile_options(trm_development INTERFACE -Wall -Wextra -Wpedantic
                                                 $<$<BOOL:${TRM_WARNINGS_AS_ERRORS}>:-Werror>)
if(TRM_SANITIZE)
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
  # g++ warns of uninitialised values where it has only lost track of them in the code that it added.
  target_compile_options(trm_development INTERFACE ${sanitizers} -fno-omit-frame-pointer -g1
                                                   $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_compile_definitions(trm_development INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(trm_development INTERFACE ${sanitizers})
endif()

# The optional component that a source is for, by its name: product.onednn.cpp is for onednn. Empty for all others.
function(trm_component_of source result)
  set(${result} "" PARENT_SCOPE)
  if(source MATCHES "\\.(onednn|cblas|mpi|nccl)\\.cpp$")
    set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
  endif()
endfunction()

set(TRM_PRESETS "" CACHE STRING "Compile only these models into the programs (small_6, paper_mixer, ...); empty: all")

option(TRM_UNITY "Compile the sources of a program's models, and of a folder's tests, together: less for all, more for one" OFF)
include("${CMAKE_CURRENT_LIST_DIR}/unity.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/cuda_presets.cmake")

# trm_add_programs(<library>...): in the current folder one program for every <name>.cpp, and one for every <name>/main.cpp
# with all sources of that folder, linked with the libraries. trm_arc.cpp becomes trm-arc.
function(trm_add_programs)
  file(GLOB main_files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*/main.cpp")
  foreach(main_file IN LISTS main_files)
    cmake_path(GET main_file PARENT_PATH folder)
    set(sources "${main_file}")
    if(folder STREQUAL CMAKE_CURRENT_SOURCE_DIR)
      cmake_path(GET main_file STEM LAST_ONLY program)
    else()
      cmake_path(GET folder FILENAME program)
      file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp")
      if(TRM_PRESETS)
        list(FILTER sources EXCLUDE REGEX "/preset_[^/]*$")
        foreach(preset IN LISTS TRM_PRESETS)
          if(EXISTS "${folder}/preset_${preset}.cpp")
            list(APPEND sources "${folder}/preset_${preset}.cpp")
          endif()
        endforeach()
      endif()
    endif()
    string(REPLACE "_" "-" program "${program}")
    trm_component_of("${main_file}" component)
    if(component AND NOT trm_${component}_FOUND)
      message(STATUS "${program}: skipped, it needs ${trm_${component}_MISSING}")
      continue()
    endif()
    # Models of one arithmetic have most in common. Of more than four a compiler would need much memory.
    set(joined ${sources})
    set(in_bf16 ${sources})
    list(FILTER joined EXCLUDE REGEX "bf16")
    list(FILTER in_bf16 INCLUDE REGEX "bf16")
    trm_join("${program}" 4 compiled ${joined} ${in_bf16})
    add_executable(${program} ${compiled})
    target_link_libraries(${program} PRIVATE trm_development ${ARGN})
    if(component)
      target_link_libraries(${program} PRIVATE trm::${component})
    endif()
    if(sources MATCHES "/preset_[^/]*\\.cpp")
      trm_add_cuda_presets(${program} ${sources})
    endif()
  endforeach()
endfunction()
