# SPDX-License-Identifier: MIT
# Two translation units with every header and the same model in both: linked without a symbol that is there twice.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

build_with_package(two_units)
run("${WORK_DIR}/build folder/two_units")
