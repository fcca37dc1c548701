# SPDX-License-Identifier: MIT
# add_subdirectory from a project with settings of its own.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

configure_and_build("${CMAKE_CURRENT_LIST_DIR}/subproject" "${WORK_DIR}/build folder" "-DTRM_SOURCE_DIR=${SOURCE_DIR}")
run("${WORK_DIR}/build folder/consumer" "${VERSION}")
run("${WORK_DIR}/build folder/consumer_io" "${VERSION}")
