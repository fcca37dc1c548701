# SPDX-License-Identifier: MIT
# NVIDIA's deep neural networks with the headers of cudnn-frontend: defines CUDNN::frontend, from CUDNN_LIBRARY, CUDNN_INCLUDE_DIR and
# CUDNN_FRONTEND_INCLUDE_DIR. The CUDA toolkit is looked for before.

find_path(CUDNN_INCLUDE_DIR NAMES cudnn.h HINTS ENV CUDNN_ROOT ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_path(CUDNN_FRONTEND_INCLUDE_DIR NAMES cudnn_frontend.h HINTS ENV CUDNN_FRONTEND_ROOT ENV CUDNN_ROOT
          ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ENV CUDNN_ROOT ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_FRONTEND_INCLUDE_DIR CUDNN_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CUDNN REQUIRED_VARS CUDNN_LIBRARY CUDNN_INCLUDE_DIR CUDNN_FRONTEND_INCLUDE_DIR)

# The file of NVRTC alone: CUDA::nvrtc brings the driver with it, without which a program would not even start.
if(CUDNN_FOUND AND NOT TARGET CUDNN::frontend)
  add_library(CUDNN::frontend UNKNOWN IMPORTED)
  set_target_properties(CUDNN::frontend PROPERTIES
    IMPORTED_LOCATION "${CUDNN_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CUDNN_FRONTEND_INCLUDE_DIR};${CUDNN_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "CUDA::cudart;$<TARGET_FILE:CUDA::nvrtc>;${CMAKE_DL_LIBS}")
  if(CUDNN_FIND_GLOBAL OR CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
    set_target_properties(CUDNN::frontend PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
endif()
