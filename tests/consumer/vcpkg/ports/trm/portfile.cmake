# SPDX-License-Identifier: MIT
# An overlay port that installs the sources it lies in, so that nothing is downloaded and no hash goes out of date. A port for
# a registry has vcpkg_from_github with REPO, REF and SHA512 in place of the first command, and is otherwise the same.
cmake_path(SET SOURCE_PATH NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../../../..")

set(VCPKG_BUILD_TYPE release) # header-only
set(VCPKG_POLICY_SKIP_PKGCONFIG_CHECK enabled) # its only library is -pthread, which is the same everywhere: share/ is right
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DTRM_BUILD_TESTS=OFF
    -DTRM_BUILD_EXAMPLES=OFF
    -DTRM_BUILD_BENCHMARKS=OFF
    -DTRM_FIND_COMPONENTS=trm)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/trm)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/licenses")

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
