# SPDX-License-Identifier: MIT
# What the routes share. WORK_DIR is emptied first.
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")

# Runs a command quietly and stops with everything it said when it fails.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}: ${status}\n${output}")
  endif()
endfunction()

# Installs the project and moves the prefix, so that a path that was written down somewhere is found out.
function(install_and_move prefix)
  run("${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${WORK_DIR}/installed")
  file(RENAME "${WORK_DIR}/installed" "${prefix}")
endfunction()

function(configure_and_build source build)
  run("${CMAKE_COMMAND}" -S "${source}" -B "${build}" -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
      "-DTRM_EXPECTED_VERSION=${VERSION}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${build}")
endfunction()
