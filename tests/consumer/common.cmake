# SPDX-License-Identifier: MIT
# What the tests share. WORK_DIR is emptied first. CMake and programs of the environment must not decide what is found.
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")
unset(ENV{DESTDIR})

# Runs a command quietly and stops with everything it said when it fails.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}: ${status}\n${output}")
  endif()
endfunction()

# What the library and its package are made of, as somebody unpacks or clones it.
function(copy_source folder)
  file(COPY "${SOURCE_DIR}/CMakeLists.txt" "${SOURCE_DIR}/LICENSE" "${SOURCE_DIR}/cmake" "${SOURCE_DIR}/include"
       DESTINATION "${folder}")
endfunction()

function(configure_and_build source build)
  run("${CMAKE_COMMAND}" -S "${source}" -B "${build}" -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
      "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" "-DTRM_EXPECTED_VERSION=${VERSION}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${build}")
endfunction()

# The project `name` beside this file, against the installed package.
function(build_with_package name)
  configure_and_build("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${name}" "${WORK_DIR}/build folder"
                      "-DCMAKE_PREFIX_PATH=${PREFIX}" ${ARGN})
endfunction()
