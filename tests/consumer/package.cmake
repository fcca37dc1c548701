# SPDX-License-Identifier: MIT
# cmake --install, a moved prefix, find_package.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

install_and_move("${WORK_DIR}/moved")

file(GLOB_RECURSE wanted RELATIVE "${SOURCE_DIR}/include" "${SOURCE_DIR}/include/*")
file(GLOB_RECURSE installed RELATIVE "${WORK_DIR}/moved/include" "${WORK_DIR}/moved/include/*")
list(REMOVE_ITEM wanted ${installed})
if(wanted)
  message(FATAL_ERROR "not installed: ${wanted}")
endif()

# The one copy of the version that cannot be generated.
file(STRINGS "${SOURCE_DIR}/CITATION.cff" cited REGEX "^version: ")
if(NOT cited STREQUAL "version: ${VERSION}")
  message(FATAL_ERROR "CITATION.cff says `${cited}`, include/trm/version.hpp ${VERSION}")
endif()

configure_and_build("${CMAKE_CURRENT_LIST_DIR}/package" "${WORK_DIR}/build" "-DCMAKE_PREFIX_PATH=${WORK_DIR}/moved")
run("${WORK_DIR}/build/consumer" "${VERSION}")
