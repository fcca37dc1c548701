# SPDX-License-Identifier: MIT
# Compiles SOURCE, which has a line `// expect: <regular expression of CMake>`, and fails unless the compiler refuses it with
# a first error whose line matches. Run as: cmake -DCOMPILER=g++ -DSTANDARD=-std=c++20 -DINCLUDE=include -DSOURCE=x.cpp -P expect_error.cmake

file(READ "${SOURCE}" text)
if(NOT text MATCHES "// expect: ([^\n]+)")
  message(FATAL_ERROR "${SOURCE}: has no line `// expect: <first error>`")
endif()
set(expected "${CMAKE_MATCH_1}")

set(ENV{LC_ALL} C)
execute_process(COMMAND "${COMPILER}" "${STANDARD}" "-I${INCLUDE}" -fsyntax-only "${SOURCE}" RESULT_VARIABLE status ERROR_VARIABLE messages
                OUTPUT_QUIET)
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE}: compiles, but should not. Expected: ${expected}")
endif()
if(NOT messages MATCHES "error: [^\n]*")
  message(FATAL_ERROR "${SOURCE}: the compiler gave no error but status ${status}:\n${messages}")
endif()
set(first_error "${CMAKE_MATCH_0}")
if(NOT first_error MATCHES "${expected}")
  message(FATAL_ERROR "${SOURCE}: the first error is not the expected one.\nexpected: ${expected}\nfirst:    ${first_error}")
endif()
message(STATUS "${first_error}")
