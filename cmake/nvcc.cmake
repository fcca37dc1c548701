# SPDX-License-Identifier: MIT
# The project's own .cu files. CMake's CUDA language is not enabled: where there is no toolkit nothing of this is asked for, and
# one command compiles a file.

set(TRM_BUILD_CUDA AUTO CACHE STRING "Compile the CUDA backend's tests and programs: ON, OFF, or AUTO: where nvcc is")
set_property(CACHE TRM_BUILD_CUDA PROPERTY STRINGS AUTO ON OFF)
set(TRM_CUDA_ARCHITECTURES "80;90a" CACHE STRING "GPU architectures to compile for: 80 (A100), 90a (H100, H200), ...")

find_program(TRM_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_PATH ENV CUDA_HOME /usr/local/cuda PATH_SUFFIXES bin)
mark_as_advanced(TRM_NVCC)

# TRM_CUDA: whether .cu files are compiled; otherwise TRM_CUDA_MISSING says why not.
set(TRM_CUDA FALSE)
set(TRM_CUDA_MISSING "")
if(NOT TRM_BUILD_CUDA)
  set(TRM_CUDA_MISSING "TRM_BUILD_CUDA, which is off")
elseif(NOT TRM_NVCC)
  set(TRM_CUDA_MISSING "nvcc")
elseif(TRM_SANITIZE)
  set(TRM_CUDA_MISSING "a build without sanitizers")
elseif(NOT trm_cuda_FOUND)
  set(TRM_CUDA_MISSING "${trm_cuda_MISSING}")
else()
  set(TRM_CUDA TRUE)
endif()
if(NOT TRM_CUDA AND TRM_BUILD_CUDA AND NOT TRM_BUILD_CUDA STREQUAL "AUTO")
  message(FATAL_ERROR "TRM_BUILD_CUDA is on, but it needs ${TRM_CUDA_MISSING}")
endif()

# trm_cuda_object(<variable> <source> [<nvcc flag>...]): compiles a .cu file for all TRM_CUDA_ARCHITECTURES. The variable is given the
# object file, which add_executable and target_sources take among their sources; the target links trm::cuda.
function(trm_cuda_object variable source)
  cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  cmake_path(GET source STEM LAST_ONLY stem)
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${stem}.cu.o")
  set(flags -std=c++20 --expt-relaxed-constexpr -O2)
  foreach(architecture IN LISTS TRM_CUDA_ARCHITECTURES)
    list(APPEND flags -gencode "arch=compute_${architecture},code=sm_${architecture}")
  endforeach()
  # 550, 554, 1675: what nvcc does not know of the CPU backend's vectors; 20011, 20014: a kernel that is emulated calls the host, where it runs.
  list(APPEND flags -diag-suppress 550,554,1675,20011,20014 -Xcompiler -Wall,-Wextra)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -ccbin "${CMAKE_CXX_COMPILER}")
  endif()
  add_custom_command(
    OUTPUT "${object}"
    COMMAND "${TRM_NVCC}" ${flags} ${ARGN} -I "${PROJECT_SOURCE_DIR}/include" -MD -MF "${object}.d" -MT "${object}" -c "${source}"
            -o "${object}"
    DEPENDS "${source}"
    DEPFILE "${object}.d"
    COMMENT "Building CUDA object ${stem}.cu.o"
    VERBATIM)
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set(${variable} "${object}" PARENT_SCOPE)
endfunction()
