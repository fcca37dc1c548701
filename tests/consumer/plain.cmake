# SPDX-License-Identifier: MIT
# trm::trm needs threads and nothing else: no other package is looked for, no header of one is read, no library is linked.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

build_with_package(plain)
run("${WORK_DIR}/build folder/plain")

execute_process(COMMAND "${COMPILER}" -std=c++20 -M -I "${PREFIX}/include" "${CMAKE_CURRENT_LIST_DIR}/plain/main.cpp"
                OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "/(fmt|nlohmann|CLI|mpi|cuda|nccl|dnnl|oneapi|cblas)[^ ]*\\.h[a-z]*" foreign "${headers}")
if(foreign OR NOT headers MATCHES "trm/train/solver\\.hpp")
  message(FATAL_ERROR "a model on the CPU includes ${foreign}")
endif()
