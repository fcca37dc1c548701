# SPDX-License-Identifier: MIT
# The version is written in include/trm/version.hpp. Its copies that cannot be generated are the same: those of the citation
# and of the vcpkg port. Run as: cmake -DSOURCE_DIR=. -DVERSION=x.y.z -P version.cmake

file(STRINGS "${SOURCE_DIR}/CITATION.cff" cited REGEX "^version: ")
if(NOT cited STREQUAL "version: ${VERSION}")
  message(SEND_ERROR "CITATION.cff says `${cited}`, include/trm/version.hpp ${VERSION}")
endif()

file(READ "${SOURCE_DIR}/tests/consumer/vcpkg/ports/trm/vcpkg.json" manifest)
string(JSON version GET "${manifest}" version)
if(NOT version STREQUAL VERSION)
  message(SEND_ERROR "vcpkg.json says ${version}, include/trm/version.hpp ${VERSION}")
endif()
