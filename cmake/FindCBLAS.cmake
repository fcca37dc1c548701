# SPDX-License-Identifier: MIT
# A BLAS library with its C interface: defines CBLAS::CBLAS, from CBLAS_LIBRARY and CBLAS_INCLUDE_DIR.
# The header and the library must belong together, so those of one vendor are tried before the next.

find_path(CBLAS_INCLUDE_DIR NAMES cblas.h PATH_SUFFIXES openblas blis mkl)
find_library(CBLAS_LIBRARY NAMES openblas blis mkl_rt cblas)
mark_as_advanced(CBLAS_INCLUDE_DIR CBLAS_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CBLAS REQUIRED_VARS CBLAS_LIBRARY CBLAS_INCLUDE_DIR)

if(CBLAS_FOUND AND NOT TARGET CBLAS::CBLAS)
  add_library(CBLAS::CBLAS UNKNOWN IMPORTED)
  set_target_properties(CBLAS::CBLAS PROPERTIES IMPORTED_LOCATION "${CBLAS_LIBRARY}"
                                                INTERFACE_INCLUDE_DIRECTORIES "${CBLAS_INCLUDE_DIR}")
  if(CBLAS_FIND_GLOBAL OR CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
    set_target_properties(CBLAS::CBLAS PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
endif()
