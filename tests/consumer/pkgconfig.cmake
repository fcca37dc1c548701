# SPDX-License-Identifier: MIT
# pkg-config from a moved prefix and one call of the compiler, with no CMake in between.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

set(ENV{PKG_CONFIG_PATH} "${PREFIX}/share/pkgconfig")
execute_process(COMMAND "${TOOL}" --cflags --libs "trm = ${VERSION}" OUTPUT_VARIABLE flags ERROR_VARIABLE messages
                OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "pkg-config does not find trm ${VERSION}: ${messages}")
endif()
separate_arguments(flags UNIX_COMMAND "${flags}")
run("${COMPILER}" -std=c++20 "${CMAKE_CURRENT_LIST_DIR}/consumer.cpp" -o "${WORK_DIR}/consumer" ${flags})
run("${WORK_DIR}/consumer" "${VERSION}")

execute_process(COMMAND "${TOOL}" --exists "trm >= 99" RESULT_VARIABLE status)
if(status EQUAL 0)
  message(FATAL_ERROR "pkg-config says that trm ${VERSION} is version 99")
endif()
