# SPDX-License-Identifier: MIT
# The targets of the library. Each is one component of the package and is defined whether or not its dependencies are here.
include("${CMAKE_CURRENT_LIST_DIR}/trmDependencies.cmake")

set(TRM_COMPONENTS trm cpu io onednn cblas mpi cuda nccl cudnn)

file(GLOB_RECURSE trm_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/trm/*.hpp"
     "${PROJECT_SOURCE_DIR}/include/trm/*.cuh")

add_library(trm INTERFACE)
target_sources(trm INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${trm_headers})
target_compile_features(trm INTERFACE cxx_std_20)
target_link_libraries(trm INTERFACE Threads::Threads)
add_library(trm::trm ALIAS trm)

foreach(component IN LISTS TRM_COMPONENTS)
  if(NOT component STREQUAL "trm")
    add_library(trm_${component} INTERFACE)
    target_link_libraries(trm_${component} INTERFACE trm)
    set_target_properties(trm_${component} PROPERTIES EXPORT_NAME ${component})
    add_library(trm::${component} ALIAS trm_${component})
  endif()
endforeach()
target_link_libraries(trm_cpu INTERFACE Threads::Threads)
target_link_libraries(trm_io INTERFACE fmt::fmt nlohmann_json::nlohmann_json)
target_link_libraries(trm_onednn INTERFACE DNNL::dnnl)
target_link_libraries(trm_cblas INTERFACE CBLAS::CBLAS)
target_link_libraries(trm_mpi INTERFACE MPI::MPI_CXX)
target_link_libraries(trm_cuda INTERFACE CUDA::cudart CUDA::cublasLt)
target_link_libraries(trm_nccl INTERFACE NCCL::NCCL CUDA::cudart)
target_link_libraries(trm_cudnn INTERFACE trm_cuda CUDNN::frontend)

# A parent project may bring fmt and the others in its own way, so inside one nothing is looked for unless it says so here.
set(default_components "")
if(PROJECT_IS_TOP_LEVEL)
  set(default_components "${TRM_COMPONENTS}")
endif()
set(TRM_FIND_COMPONENTS "${default_components}" CACHE STRING "Components whose dependencies are looked for, of: ${TRM_COMPONENTS}")

set(wanted trm ${TRM_FIND_COMPONENTS})
list(REMOVE_DUPLICATES wanted)
foreach(component IN LISTS wanted)
  trm_find_dependencies(${component} GLOBAL)
  if(PROJECT_IS_TOP_LEVEL AND NOT trm_${component}_FOUND)
    message(STATUS "trm::${component}: not available, it needs ${trm_${component}_MISSING}")
  endif()
endforeach()
