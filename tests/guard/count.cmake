# SPDX-License-Identifier: MIT
# Against slow changes, on machines whose seconds mean nothing: the instructions that fixed work takes are counted by valgrind, which
# gives nearly the same number on every machine (AVX-512 and AMX are unknown to it; what is counted is portable and AVX2 code).
# What is compared is one repetition of the work: starting and preparing cancel out between a short and a longer run.
# More than 5 % above budget.txt fails; less than 5 % below it is said, the budget may then be lowered.
#   cmake -DWORK=guard.work -DVALGRIND=valgrind -DCOMPILER=g++ -P count.cmake     compares
# The same with TRM_UPDATE_BUDGETS=1 in the environment writes budget.txt anew.
cmake_minimum_required(VERSION 3.25)
set(budget_file "${CMAKE_CURRENT_LIST_DIR}/budget.txt")
set(tolerance 5) # percent
set(all_work train.portable train.avx2 evaluate.portable evaluate.avx2 read_dataset)

if(DEFINED ENV{TRM_UPDATE_BUDGETS})
  set(UPDATE ON)
endif()
execute_process(COMMAND "${COMPILER}" -dumpfullversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
string(REGEX MATCH "^[0-9]+" major "${version}")
set(compiler_words "g++ ${major}")
if(NOT UPDATE)
  if(NOT EXISTS "${budget_file}")
    message("SKIPPED: ${budget_file} is not there; TRM_UPDATE_BUDGETS=1 ctest -R '^(guard.instructions|examples.cost)$' writes it")
    return()
  endif()
  file(STRINGS "${budget_file}" lines REGEX "^# Measured with ")
  string(FIND "${lines}" "with ${compiler_words}," position)
  if(position EQUAL -1)
    message("SKIPPED: the budget is for another compiler than ${compiler_words}")
    return()
  endif()
  file(STRINGS "${budget_file}" lines REGEX "^ *[0-9]")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^ *([0-9]+) ([^ ]+)$" line "${line}")
    set(budget_${CMAKE_MATCH_2} ${CMAKE_MATCH_1})
  endforeach()
endif()

# Instructions of a whole run.
function(count work repetitions result)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/guard.data")
  file(REMOVE_RECURSE "${folder}")
  execute_process(COMMAND "${VALGRIND}" --tool=cachegrind --cache-sim=no --branch-sim=no --cachegrind-out-file=/dev/null
                          "${WORK}" ${work} ${repetitions} "${folder}"
                  RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE said)
  file(REMOVE_RECURSE "${folder}")
  if(NOT status EQUAL 0 OR NOT said MATCHES "I +refs: +([0-9,]+)")
    message(FATAL_ERROR "${work}: counting its instructions failed: ${said}")
  endif()
  string(REPLACE "," "" instructions "${CMAKE_MATCH_1}")
  set(${result} ${instructions} PARENT_SCOPE)
endfunction()

set(found "")
set(violations "")
foreach(work IN LISTS all_work)
  count(${work} 1 short)
  count(${work} 4 long)
  math(EXPR instructions "(${long} - ${short}) / 3")
  string(LENGTH "${instructions}" digits)
  math(EXPR blanks "11 - ${digits}")
  string(REPEAT " " ${blanks} blanks)
  string(APPEND found "${blanks}${instructions} ${work}\n")
  if(UPDATE)
    continue()
  endif()
  if(NOT DEFINED budget_${work})
    string(APPEND violations "${work}: has no budget yet, it takes ${instructions} instructions\n")
    continue()
  endif()
  set(budget ${budget_${work}})
  math(EXPR change "(1000 * (${instructions} - ${budget})) / ${budget}") # tenths of a percent
  math(EXPR most "10 * ${tolerance}")
  if(change GREATER most)
    string(APPEND violations "${work}: takes ${instructions} instructions, its budget is ${budget}\n")
  elseif(change LESS -${most})
    message("${work}: takes ${instructions} instructions, less than its budget of ${budget}, which may be lowered")
  else()
    message("${work}: ${instructions} instructions, budget ${budget}")
  endif()
endforeach()

if(UPDATE)
  file(WRITE "${budget_file}" "# Instructions of one repetition of fixed work, see count.cmake, which also writes this file.\n"
                              "# Measured with ${compiler_words}, -O3, and the libraries of Debian 12.\n${found}")
elseif(violations)
  message(FATAL_ERROR "${violations}Where the work is worth it: TRM_UPDATE_BUDGETS=1 ctest -R guard.instructions")
endif()
