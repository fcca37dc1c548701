# SPDX-License-Identifier: MIT
# What including each header costs: lines behind the preprocessor, those of the standard library and of fmt and JSON included.
# Lines are the same on every machine with one compiler, seconds are not; a hundred thousand lines take a second to compile, and
# up to four where JSON and fmt are among them. A header that has grown by more than a tenth beyond budget.txt fails.
#   cmake -DCOMPILER=g++ -DINCLUDE_DIR=include -P tests/headers/cost.cmake                compares
#   cmake -DCOMPILER=g++ -DINCLUDE_DIR=include -DUPDATE=ON -P tests/headers/cost.cmake    writes budget.txt anew
#   cmake -DCOMPILER=g++ -DINCLUDE_DIR=include -DSECONDS=ON -P tests/headers/cost.cmake   prints lines and seconds to compile
cmake_minimum_required(VERSION 3.25)
set(budget_file "${CMAKE_CURRENT_LIST_DIR}/budget.txt")
cmake_path(ABSOLUTE_PATH INCLUDE_DIR)

execute_process(COMMAND "${COMPILER}" -dumpfullversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
string(REGEX MATCH "^[0-9]+" major "${version}")
set(compiler_words "g++ ${major}")
set(budgets "")
if(NOT UPDATE AND NOT SECONDS)
  file(STRINGS "${budget_file}" lines REGEX "^# Measured with ")
  string(FIND "${lines}" "with ${compiler_words}," position)
  if(position EQUAL -1)
    message("SKIPPED: the budget is for another compiler than ${compiler_words}")
    return()
  endif()
  file(STRINGS "${budget_file}" budgets REGEX "^ *[0-9]")
endif()
foreach(line IN LISTS budgets)
  string(REGEX MATCH "^ *([0-9]+) ([^ ]+)$" line "${line}")
  set(budget_${CMAKE_MATCH_2} ${CMAKE_MATCH_1})
endforeach()

# What needs a library that may not be here is left out.
file(GLOB_RECURSE headers RELATIVE "${INCLUDE_DIR}" "${INCLUDE_DIR}/trm/*.hpp")
list(FILTER headers EXCLUDE REGEX "onednn|cblas|mpi_|nccl|sentencepiece")
set(found "")
set(violations "")
foreach(header IN LISTS headers)
  set(command "${COMPILER}" -std=c++20 -I "${INCLUDE_DIR}" -include "${header}" -x c++ /dev/null)
  execute_process(COMMAND ${command} -E -P COMMAND wc -l OUTPUT_VARIABLE lines ERROR_VARIABLE errors RESULTS_VARIABLE results
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT results STREQUAL "0;0")
    message(FATAL_ERROR "${header} cannot be read: ${errors}")
  endif()
  string(STRIP "${lines}" lines)
  string(LENGTH "${lines}" digits)
  math(EXPR blanks "6 - ${digits}")
  string(REPEAT " " ${blanks} blanks)
  string(APPEND found "${blanks}${lines} ${header}\n")

  if(SECONDS)
    string(TIMESTAMP begin "%s%f")
    execute_process(COMMAND ${command} -fsyntax-only COMMAND_ERROR_IS_FATAL ANY)
    string(TIMESTAMP end "%s%f")
    math(EXPR milliseconds "(${end} - ${begin}) / 1000")
    message("${blanks}${lines} lines ${milliseconds} ms ${header}")
  elseif(NOT UPDATE)
    if(NOT DEFINED budget_${header})
      string(APPEND violations "${header}: has no budget yet, it costs ${lines} lines\n")
    else()
      math(EXPR over "10 * ${lines} - 11 * ${budget_${header}}")
      if(over GREATER 0)
        string(APPEND violations "${header}: costs ${lines} lines, its budget is ${budget_${header}}\n")
      endif()
    endif()
  endif()
endforeach()

if(UPDATE)
  file(WRITE "${budget_file}"
       "# Lines that including a header brings, see cost.cmake, which also writes this file.\n"
       "# Measured with ${compiler_words}, its standard library, and fmt and nlohmann_json of Debian 12.\n${found}")
elseif(violations)
  message(FATAL_ERROR "${violations}A new header, or one that is worth it: cmake -DCOMPILER=g++ -DINCLUDE_DIR=include -DUPDATE=ON "
                      "-P tests/headers/cost.cmake")
endif()
