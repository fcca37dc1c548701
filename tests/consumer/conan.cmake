# SPDX-License-Identifier: MIT
# conan create with the shipped profiles and the system's packages, in a cache of its own and without any remote; the test
# package is built and run by it.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

set(source "${WORK_DIR}/a source")
copy_source("${source}")
file(COPY "${SOURCE_DIR}/conan" DESTINATION "${source}" PATTERN build EXCLUDE)
set(ENV{CONAN_HOME} "${WORK_DIR}/home")

set(profile "${source}/conan/profiles/gcc")
if(COMPILER_ID MATCHES "Clang")
  set(profile "${source}/conan/profiles/clang")
endif()
set(create "${TOOL}" create "${source}/conan" --no-remote --profile:all "${profile}")

run(${create} --profile:all "${source}/conan/profiles/system")
# Without trm::io nothing else is required.
run(${create} "--options=trm/*:with_io=False")

# What the recipe made is what the sources say, and C++17 is not enough for them.
execute_process(COMMAND "${TOOL}" list "trm/*" --cache OUTPUT_VARIABLE list ERROR_VARIABLE messages COMMAND_ERROR_IS_FATAL ANY)
string(FIND "${list}" "trm/${VERSION}" position)
if(position EQUAL -1)
  message(FATAL_ERROR "the recipe's version is not ${VERSION}: ${list}")
endif()
execute_process(COMMAND ${create} "--options=trm/*:with_io=False" --settings:all compiler.cppstd=17 RESULT_VARIABLE status
                OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0 OR NOT output MATCHES "Current cppstd \\(17\\) is lower than the required C\\+\\+ standard \\(20\\)")
  message(FATAL_ERROR "with C++17 conan says: ${output}")
endif()
