# SPDX-License-Identifier: MIT
# The installed package: headers, one set of targets per component, a CMake package and a pkg-config file. Nothing in it
# depends on the architecture or on where it lies, so it can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/trm")
set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")

# One export set per component: an export set is refused as a whole when one of its dependencies is missing.
foreach(component IN LISTS TRM_COMPONENTS)
  set(target trm_${component})
  if(component STREQUAL "trm")
    set(target trm)
  endif()
  install(TARGETS ${target} EXPORT trm_${component} FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT trm_${component} FILE trm_${component}.cmake NAMESPACE trm:: DESTINATION "${package_dir}")
endforeach()

configure_package_config_file(cmake/trmConfig.cmake.in "${PROJECT_BINARY_DIR}/trmConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/trmConfigVersion.cmake" COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/trmConfig.cmake" "${PROJECT_BINARY_DIR}/trmConfigVersion.cmake"
              cmake/trmDependencies.cmake cmake/trmInstantiate.cmake cmake/FindCBLAS.cmake cmake/FindNCCL.cmake cmake/FindCUDNN.cmake
        DESTINATION "${package_dir}")

cmake_path(ABSOLUTE_PATH pkgconfig_dir BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE pkgconfig_path)
file(RELATIVE_PATH prefix_from_pkgconfig "${pkgconfig_path}" "${CMAKE_INSTALL_PREFIX}")
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_INCLUDEDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE include_path)
file(RELATIVE_PATH include_from_prefix "${CMAKE_INSTALL_PREFIX}" "${include_path}")
configure_file(cmake/trm.pc.in "${PROJECT_BINARY_DIR}/trm.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/trm.pc" DESTINATION "${pkgconfig_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/trm")
