# SPDX-License-Identifier: MIT
# find_package: what it refuses and with which words, and what it gives.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

build_with_package(package)
run("${WORK_DIR}/build folder/consumer" "${VERSION}")
run("${WORK_DIR}/build folder/consumer_io" "${VERSION}")
