# SPDX-License-Identifier: MIT
# The overlay port, installed by vcpkg where VCPKG_ROOT names it (with the CMake, ninja and patchelf of the system), else by
# shim.cmake, and used from its moved folder.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
set(port "${CMAKE_CURRENT_LIST_DIR}/vcpkg/ports/trm")

# The manifest: its fields are known ones.
file(READ "${port}/vcpkg.json" manifest)
string(JSON fields LENGTH "${manifest}")
math(EXPR last "${fields} - 1")
foreach(i RANGE ${last})
  string(JSON field MEMBER "${manifest}" ${i})
  if(NOT field MATCHES "^(name|version|port-version|description|homepage|license|supports|dependencies|features)$")
    message(FATAL_ERROR "vcpkg.json: `${field}` is not a field of a manifest")
  endif()
endforeach()
string(JSON name GET "${manifest}" name)
if(NOT name STREQUAL "trm")
  message(FATAL_ERROR "vcpkg.json describes the port ${name}")
endif()

if(DEFINED ENV{VCPKG_ROOT} AND EXISTS "$ENV{VCPKG_ROOT}/vcpkg")
  message(STATUS "installed by vcpkg")
  set(ENV{VCPKG_DISABLE_METRICS} 1)
  set(ENV{VCPKG_FORCE_SYSTEM_BINARIES} 1)
  run("$ENV{VCPKG_ROOT}/vcpkg" install trm "--overlay-ports=${CMAKE_CURRENT_LIST_DIR}/vcpkg/ports" --no-downloads
      --no-binarycaching --triplet=x64-linux "--x-install-root=${WORK_DIR}/root" "--x-packages-root=${WORK_DIR}/packages"
      "--x-buildtrees-root=${WORK_DIR}/buildtrees")
  set(packages "${WORK_DIR}/root/x64-linux")
else()
  message(STATUS "installed by the functions of shim.cmake, without vcpkg")
  set(packages "${WORK_DIR}/packages")
  run("${CMAKE_COMMAND}" "-DPORT_DIR=${port}" "-DCURRENT_PACKAGES_DIR=${packages}"
      "-DCURRENT_BUILDTREES_DIR=${WORK_DIR}/buildtrees" "-DGENERATOR=${GENERATOR}" "-DCOMPILER=${COMPILER}" -P
      "${CMAKE_CURRENT_LIST_DIR}/vcpkg/shim.cmake")
endif()
foreach(file IN ITEMS include/trm/version.hpp share/trm/trmConfig.cmake share/trm/usage share/trm/copyright share/pkgconfig/trm.pc)
  if(NOT EXISTS "${packages}/${file}")
    message(FATAL_ERROR "the port installs no ${file}")
  endif()
endforeach()

file(RENAME "${packages}" "${WORK_DIR}/moved packages")
set(PREFIX "${WORK_DIR}/moved packages")
build_with_package(package)
run("${WORK_DIR}/build folder/consumer" "${VERSION}")
