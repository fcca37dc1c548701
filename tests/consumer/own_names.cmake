# SPDX-License-Identifier: MIT
# Names of one's own that are like those of the library, and exceptions of one's own through its threads.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

build_with_package(own_names)
run("${WORK_DIR}/build folder/own_names")
