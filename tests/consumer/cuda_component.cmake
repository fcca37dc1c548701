# SPDX-License-Identifier: MIT
# trm::cuda: a trainer on a GPU, compiled and linked by nvcc with what the component brings; run where there is a GPU.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

# With g++ on the host, as in cuda.cmake.
set(host_compiler "")
if(COMPILER_ID STREQUAL "GNU")
  set(host_compiler "-DCMAKE_CUDA_HOST_COMPILER=${COMPILER}")
endif()
build_with_package(cuda_component "-DCMAKE_CUDA_COMPILER=${TOOL}" ${host_compiler})
execute_process(COMMAND "${WORK_DIR}/build folder/cuda_component" RESULT_VARIABLE status OUTPUT_VARIABLE output
                ERROR_VARIABLE output)
message(STATUS "${output}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${status}")
endif()
