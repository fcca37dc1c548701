# SPDX-License-Identifier: MIT
# What each component of the package needs from elsewhere. Used by the project itself and installed for its consumers.

set(trm_cblas_module_path "${CMAKE_CURRENT_LIST_DIR}")

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
    _trm_find(${name} dnnl DNNL::dnnl "oneDNN, CMake package dnnl (Debian: libdnnl-dev)" ${ARGN})
  elseif("${name}" STREQUAL "cblas")
    set(trm_saved_module_path "${CMAKE_MODULE_PATH}")
    list(PREPEND CMAKE_MODULE_PATH "${trm_cblas_module_path}")
    _trm_find(${name} CBLAS CBLAS::CBLAS "a BLAS with cblas.h (Debian: libopenblas-openmp-dev)" ${ARGN})
    set(CMAKE_MODULE_PATH "${trm_saved_module_path}")
    unset(trm_saved_module_path)
  else()
    set(trm_${name}_FOUND FALSE)
    set(trm_${name}_MISSING "to be known: there is no component of this name")
  endif()
endmacro()

macro(_trm_find component package target words)
  if(NOT TARGET ${target})
    find_package(${package} QUIET ${ARGN})
  endif()
  if(NOT TARGET ${target})
    set(trm_${component}_FOUND FALSE)
    if(trm_${component}_MISSING)
      string(APPEND trm_${component}_MISSING " and ")
    endif()
    string(APPEND trm_${component}_MISSING "${words}")
  endif()
endmacro()
