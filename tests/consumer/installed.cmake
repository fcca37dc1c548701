# SPDX-License-Identifier: MIT
# cmake --install, then a moved prefix, so that a path that was written down somewhere is found out by those who use it.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

run("${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${WORK_DIR}/prefix")
file(REMOVE_RECURSE "${PREFIX}")
file(RENAME "${WORK_DIR}/prefix" "${PREFIX}")

file(GLOB_RECURSE wanted RELATIVE "${SOURCE_DIR}/include" "${SOURCE_DIR}/include/*")
file(GLOB_RECURSE installed RELATIVE "${PREFIX}/include" "${PREFIX}/include/*")
list(REMOVE_ITEM wanted ${installed})
if(wanted)
  message(FATAL_ERROR "not installed: ${wanted}")
endif()
