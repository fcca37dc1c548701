# SPDX-License-Identifier: MIT
# A program with a kernel of its own for two architectures, compiled and linked by nvcc; run where there is a GPU.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

# With g++ on the host, whatever else compiles: nvcc of CUDA 13 does not get through the headers of libstdc++ 12 with clang 14.
set(host_compiler "")
if(COMPILER_ID STREQUAL "GNU")
  set(host_compiler "-DCMAKE_CUDA_HOST_COMPILER=${COMPILER}")
endif()
build_with_package(cuda "-DCMAKE_CUDA_COMPILER=${TOOL}" ${host_compiler})
execute_process(COMMAND "${WORK_DIR}/build folder/cuda" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
message(STATUS "${output}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${status}")
endif()
