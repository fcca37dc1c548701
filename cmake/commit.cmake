# SPDX-License-Identifier: MIT
# cmake -DSOURCE_DIR=... -DOUTPUT=... -P commit.cmake: a header with the commit that is checked out, written only when it
# differs. "unknown" where SOURCE_DIR is no git work tree of its own (or there is no git), "-dirty" where files changed.

set(commit unknown)
find_program(GIT git)
function(git result output)
  execute_process(COMMAND "${GIT}" -C "${SOURCE_DIR}" ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(${result} "${status}" PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

if(GIT)
  git(status top rev-parse --show-toplevel)
  file(REAL_PATH "${SOURCE_DIR}" source)
  if(status EQUAL 0 AND top STREQUAL source)  # and not the repository of a project around this one
    git(status head rev-parse --verify HEAD)
    git(compared changes --no-optional-locks status --porcelain --untracked-files=no)
    if(status EQUAL 0 AND compared EQUAL 0)
      set(commit "${head}")
      if(changes)
        string(APPEND commit "-dirty")
      endif()
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#pragma once\n#define TRM_COMMIT \"${commit}\"\n")
