# SPDX-License-Identifier: MIT
# trm_instantiate: two users of a model that is compiled once. What they must not compile again is missing in their objects.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

build_with_package(instantiated)
run("${WORK_DIR}/build folder/program")

# symbols(<result> <file>...): the defined symbols of the solver's step, demangled.
function(symbols result)
  execute_process(COMMAND "${TOOL}" --demangle --defined-only ${ARGN} OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]*trm::solver<tiny[^\n]*::step\\(\\)[^\n]*" found "${lines}")
  set(${result} "${found}" PARENT_SCOPE)
endfunction()
file(GLOB_RECURSE users "${WORK_DIR}/build folder/CMakeFiles/program.dir/*.o")
list(LENGTH users count)
symbols(in_users ${users})
set(library "${WORK_DIR}/build folder/libtiny_models.a")
symbols(in_library "${library}")
if(NOT count EQUAL 2 OR in_users OR NOT in_library)
  message(FATAL_ERROR "the step belongs into the library alone: it is in `${in_library}`, and of ${count} users in `${in_users}`")
endif()

set(bytes_in_users 0)
foreach(user IN LISTS users)
  file(SIZE "${user}" size)
  math(EXPR bytes_in_users "${bytes_in_users} + ${size}")
endforeach()
file(SIZE "${library}" bytes_in_library)
math(EXPR times "${bytes_in_library} / ${bytes_in_users}")
message(STATUS "${bytes_in_library} bytes in the library, ${bytes_in_users} in its two users")
if(times LESS 3)
  message(FATAL_ERROR "the users hold more than a third of what is in the library")
endif()
