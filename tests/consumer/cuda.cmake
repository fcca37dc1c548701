# SPDX-License-Identifier: MIT
# A program with a kernel of its own for two architectures, compiled and linked by nvcc; run where there is a GPU.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

build_with_package(cuda "-DCMAKE_CUDA_COMPILER=${TOOL}" "-DCMAKE_CUDA_HOST_COMPILER=${COMPILER}")
execute_process(COMMAND "${WORK_DIR}/build folder/cuda" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
message(STATUS "${output}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${status}")
endif()
