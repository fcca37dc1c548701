# SPDX-License-Identifier: MIT
# Everything as a user without rights, from an archive to a program: in a folder of /tmp, since that of the build may be
# closed to others.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

string(RANDOM LENGTH 12 name)
set(home "/tmp/trm ${name}")
file(MAKE_DIRECTORY "${home}")
copy_source("${home}/trm")
file(COPY "${CMAKE_CURRENT_LIST_DIR}/fetch" "${CMAKE_CURRENT_LIST_DIR}/consumer.cpp" "${CMAKE_CURRENT_LIST_DIR}/package"
     DESTINATION "${home}/consumer")
execute_process(COMMAND chown -R 65534:65534 "${home}")

set(ENV{HOME} "${home}")
set(ENV{CCACHE_DISABLE} 1)
set(user "${TOOL}" --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
set(script "set -e
cmake -S trm -B build -G '${GENERATOR}' -DCMAKE_CXX_COMPILER='${COMPILER}' -DTRM_BUILD_TESTS=OFF -DTRM_BUILD_EXAMPLES=OFF \
      -DTRM_BUILD_BENCHMARKS=OFF
cmake --install build --prefix \"$PWD/in my home\"
cmake -S consumer/package -B consumer/build -G '${GENERATOR}' -DCMAKE_CXX_COMPILER='${COMPILER}' \
      -DTRM_EXPECTED_VERSION=${VERSION} -DCMAKE_PREFIX_PATH=\"$PWD/in my home\"
cmake --build consumer/build
consumer/build/consumer ${VERSION}
[ \"$(id -u)\" = 65534 ]")
execute_process(COMMAND ${user} sh -c "${script}" WORKING_DIRECTORY "${home}" RESULT_VARIABLE status OUTPUT_VARIABLE output
                ERROR_VARIABLE output)
file(REMOVE_RECURSE "${home}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${status}\n${output}")
endif()
