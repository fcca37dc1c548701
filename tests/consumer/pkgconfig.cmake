# SPDX-License-Identifier: MIT
# pkg-config from a moved prefix and one call of the compiler.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

install_and_move("${WORK_DIR}/moved")
set(ENV{PKG_CONFIG_PATH} "${WORK_DIR}/moved/share/pkgconfig")
execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs "trm = ${VERSION}" OUTPUT_VARIABLE flags ERROR_VARIABLE messages
                OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "pkg-config does not find trm ${VERSION}: ${messages}")
endif()
separate_arguments(flags UNIX_COMMAND "${flags}")
run("${COMPILER}" -std=c++20 "${CMAKE_CURRENT_LIST_DIR}/consumer.cpp" -o "${WORK_DIR}/consumer" ${flags})
run("${WORK_DIR}/consumer" "${VERSION}")
