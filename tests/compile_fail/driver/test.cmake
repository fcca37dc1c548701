# SPDX-License-Identifier: MIT
# expect_error.cmake accepts the one right file beside this one and refuses each of the others for its own reason.

set(driver "${CMAKE_CURRENT_LIST_DIR}/../expect_error.cmake")

function(expect file accepted reason)
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DCOMPILER=${COMPILER}" "-DSTANDARD=${STANDARD}" "-DINCLUDE=${INCLUDE}"
                          "-DSOURCE=${CMAKE_CURRENT_LIST_DIR}/${file}" -P "${driver}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")  # CMake wraps messages
  set(was_accepted FALSE)
  if(status EQUAL 0)
    set(was_accepted TRUE)
  endif()
  string(FIND "${output}" "${reason}" position)
  if(NOT was_accepted STREQUAL accepted OR position EQUAL -1)
    message(SEND_ERROR "${file}: accepted is ${was_accepted}, should be ${accepted} saying `${reason}`. It said:\n${output}")
  endif()
endfunction()

expect(refused.cpp TRUE "the first of two")
expect(compiles.cpp FALSE "compiles, but should not")
expect(second_error.cpp FALSE "the first error is not the expected one")
expect(missing_header.cpp FALSE "such_header.hpp")
expect(no_expectation.cpp FALSE "has no line")
