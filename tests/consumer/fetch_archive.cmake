# SPDX-License-Identifier: MIT
# FetchContent from an archive and its SHA-256. The archive has one folder at its top, like those of a release.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

copy_source("${WORK_DIR}/trm-${VERSION}")
set(archive "${WORK_DIR}/trm-${VERSION}.tar.gz")
run("${CMAKE_COMMAND}" -E chdir "${WORK_DIR}" "${CMAKE_COMMAND}" -E tar cz "${archive}" "trm-${VERSION}")
file(REMOVE_RECURSE "${WORK_DIR}/trm-${VERSION}")
file(SHA256 "${archive}" hash)

configure_and_build("${CMAKE_CURRENT_LIST_DIR}/fetch" "${WORK_DIR}/build folder" "-DTRM_URL=${archive}" "-DTRM_HASH=${hash}")
run("${WORK_DIR}/build folder/consumer" "${VERSION}")
