# SPDX-License-Identifier: MIT
# What each component of the package needs from elsewhere. Used by the project itself and installed for its consumers.

set(trm_module_path "${CMAKE_CURRENT_LIST_DIR}")

# Looks for what component `name` needs. Sets in the caller's scope
#   trm_<name>_FOUND    whether everything is there
#   trm_<name>_MISSING  otherwise what is not, in words
# Further arguments (GLOBAL) are passed to find_package.
macro(trm_find_dependencies name)
  set(trm_${name}_FOUND TRUE)
  set(trm_${name}_MISSING "")
  if("${name}" STREQUAL "trm" OR "${name}" STREQUAL "cpu")
    _trm_find(${name} Threads Threads::Threads "a thread library" ${ARGN})
  elseif("${name}" STREQUAL "io")
    _trm_find(${name} fmt fmt::fmt "fmt (Debian: libfmt-dev)" ${ARGN})
    _trm_find(${name} nlohmann_json nlohmann_json::nlohmann_json "nlohmann_json (Debian: nlohmann-json3-dev)" ${ARGN})
  elseif("${name}" STREQUAL "onednn")
    # A oneDNN that was built with OpenCL stops the configuration where OpenCL is not there, even if asked quietly.
    find_package(OpenCL QUIET)
    find_file(trm_dnnl_config dnnl-config.cmake PATH_SUFFIXES cmake/dnnl ${CMAKE_LIBRARY_ARCHITECTURE}/cmake/dnnl
              lib/cmake/dnnl lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/dnnl HINTS "${dnnl_DIR}" ENV dnnl_DIR)
    mark_as_advanced(trm_dnnl_config)
    set(trm_dnnl_opencl "")
    if(trm_dnnl_config AND NOT OpenCL_FOUND)
      file(STRINGS "${trm_dnnl_config}" trm_dnnl_opencl REGEX "set\\(DNNL_GPU_RUNTIME \"OCL\"\\)")
    endif()
    if(trm_dnnl_opencl)
      set(trm_${name}_FOUND FALSE)
      set(trm_${name}_MISSING "OpenCL, with which this oneDNN was built (Debian: ocl-icd-opencl-dev)")
    else()
      _trm_find(${name} dnnl DNNL::dnnl "oneDNN, CMake package dnnl (Debian: libdnnl-dev)" ${ARGN})
    endif()
  elseif("${name}" STREQUAL "cblas")
    _trm_find_by_module(${name} CBLAS CBLAS::CBLAS "a BLAS with cblas.h (Debian: libopenblas-openmp-dev)" ${ARGN})
  elseif("${name}" STREQUAL "mpi")
    # The C interface is all that is used, and it is the same for programs in C++.
    set(MPI_CXX_SKIP_MPICXX TRUE)
    _trm_find(${name} MPI MPI::MPI_CXX "MPI (Debian: libopenmpi-dev and openmpi-bin)" COMPONENTS CXX ${ARGN})
  elseif("${name}" STREQUAL "cuda")
    _trm_find(${name} CUDAToolkit CUDA::cublasLt "the CUDA toolkit, with cuBLASLt" ${ARGN})
  elseif("${name}" STREQUAL "nccl")
    _trm_find(${name} CUDAToolkit CUDA::cudart "the CUDA toolkit" ${ARGN})
    _trm_find_by_module(${name} NCCL NCCL::NCCL "NCCL (Debian: libnccl-dev)" ${ARGN})
  elseif("${name}" STREQUAL "cudnn")
    _trm_find(${name} CUDAToolkit CUDA::nvrtc "the CUDA toolkit" ${ARGN})
    _trm_find_by_module(${name} CUDNN CUDNN::frontend "cuDNN 9 and the headers of cudnn-frontend (CUDNN_ROOT, CUDNN_FRONTEND_ROOT)" ${ARGN})
  else()
    set(trm_${name}_FOUND FALSE)
    set(trm_${name}_MISSING "to be known: there is no component of this name")
  endif()
endmacro()

# For packages whose module this project brings.
macro(_trm_find_by_module)
  set(trm_saved_module_path "${CMAKE_MODULE_PATH}")
  list(PREPEND CMAKE_MODULE_PATH "${trm_module_path}")
  _trm_find(${ARGV})
  set(CMAKE_MODULE_PATH "${trm_saved_module_path}")
  unset(trm_saved_module_path)
endmacro()

macro(_trm_find component package target words)
  if(NOT TARGET ${target})
    find_package(${package} QUIET ${ARGN})
  endif()
  # FindMPI makes its target also where it has found nothing.
  if(NOT TARGET ${target} OR (DEFINED ${package}_FOUND AND NOT ${package}_FOUND))
    set(trm_${component}_FOUND FALSE)
    if(trm_${component}_MISSING)
      string(APPEND trm_${component}_MISSING " and ")
    endif()
    string(APPEND trm_${component}_MISSING "${words}")
  endif()
endmacro()
