# SPDX-License-Identifier: MIT
# NVIDIA's collectives: defines NCCL::NCCL, from NCCL_LIBRARY and NCCL_INCLUDE_DIR. The CUDA toolkit is looked for before.

find_path(NCCL_INCLUDE_DIR NAMES nccl.h HINTS ENV NCCL_ROOT ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ENV NCCL_ROOT ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
mark_as_advanced(NCCL_INCLUDE_DIR NCCL_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NCCL REQUIRED_VARS NCCL_LIBRARY NCCL_INCLUDE_DIR)

if(NCCL_FOUND AND NOT TARGET NCCL::NCCL)
  add_library(NCCL::NCCL UNKNOWN IMPORTED)
  set_target_properties(NCCL::NCCL PROPERTIES IMPORTED_LOCATION "${NCCL_LIBRARY}"
                                              INTERFACE_INCLUDE_DIRECTORIES "${NCCL_INCLUDE_DIR}")
  if(NCCL_FIND_GLOBAL OR CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
    set_target_properties(NCCL::NCCL PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
endif()
