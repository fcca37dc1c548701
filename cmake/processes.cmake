# SPDX-License-Identifier: MIT
# trm_processes: how programs find the processes that they were started with. The one object that knows MPI.
include_guard(GLOBAL)

add_library(trm_processes OBJECT "${PROJECT_SOURCE_DIR}/examples/program/processes.cpp")
target_link_libraries(trm_processes PRIVATE trm_development)
if(trm_mpi_FOUND)
  target_compile_definitions(trm_processes PRIVATE TRM_WITH_MPI)
  target_link_libraries(trm_processes PUBLIC trm::mpi)
elseif(trm_mpi_MISSING)
  message(STATUS "examples: in one process only, for several they need ${trm_mpi_MISSING}")
else()
  message(STATUS "examples: in one process only, component mpi is not in TRM_FIND_COMPONENTS")
endif()
