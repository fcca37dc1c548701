# SPDX-License-Identifier: MIT
# The documentation: every link leads somewhere, every public name has a comment, the programs' reference is what they say, the
# site can be built.

set(documentation_environment "${CMAKE_COMMAND}" -E env PYTHONDONTWRITEBYTECODE=1)
# Debian's Sphinx lives with Debian's Python, which need not be the first of PATH.
find_program(TRM_SITE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(TRM_SITE_PYTHON python3)
find_program(TRM_DOXYGEN doxygen)
mark_as_advanced(TRM_SITE_PYTHON TRM_DOXYGEN)

trm_test_wanted(repository.links wanted)
if(wanted)
  if(TRM_SITE_PYTHON)
    add_test(NAME repository.links COMMAND ${documentation_environment} "${TRM_SITE_PYTHON}"
                                           "${CMAKE_CURRENT_LIST_DIR}/links.py" "${PROJECT_SOURCE_DIR}")
  else()
    trm_skipped_test(repository.links "python3 is not here")
  endif()
  trm_label_test(repository.links)
endif()

trm_test_wanted(repository.documented wanted)
if(wanted)
  if(TRM_SITE_PYTHON AND TRM_DOXYGEN)
    add_test(NAME repository.documented COMMAND ${documentation_environment} "${TRM_SITE_PYTHON}"
                                                "${PROJECT_SOURCE_DIR}/docs/site/documented.py")
  else()
    trm_skipped_test(repository.documented "it needs python3 and doxygen")
  endif()
  trm_label_test(repository.documented)
endif()

trm_test_wanted(repository.programs_reference wanted)
if(wanted)
  if(NOT TRM_SITE_PYTHON OR NOT TRM_BUILD_EXAMPLES)
    trm_skipped_test(repository.programs_reference "it needs python3 and the examples")
  elseif(TRM_PRESETS)
    trm_skipped_test(repository.programs_reference "the programs are built without some of their models (TRM_PRESETS)")
  elseif(TRM_CUDA AND NOT TRM_BUILD_CUDA STREQUAL "AUTO")
    trm_skipped_test(repository.programs_reference "the programs are built with their models for GPUs besides (TRM_BUILD_CUDA)")
  else()
    add_test(NAME repository.programs_reference
             COMMAND ${documentation_environment} "${TRM_SITE_PYTHON}" "${PROJECT_SOURCE_DIR}/docs/site/programs.py"
                     $<TARGET_FILE:trm-arc> $<TARGET_FILE:trm-maze> $<TARGET_FILE:trm-sudoku>)
    # cmake --build BUILD --target update-programs-reference
    add_custom_target(update-programs-reference
                      COMMAND ${documentation_environment} "${TRM_SITE_PYTHON}" "${PROJECT_SOURCE_DIR}/docs/site/programs.py"
                              --update $<TARGET_FILE:trm-arc> $<TARGET_FILE:trm-maze> $<TARGET_FILE:trm-sudoku>
                      DEPENDS trm-arc trm-maze trm-sudoku VERBATIM)
  endif()
  trm_label_test(repository.programs_reference)
endif()

trm_test_wanted(repository.site wanted)
if(wanted)
  set(missing "")
  if(NOT TRM_DOXYGEN)
    set(missing doxygen)
  endif()
  foreach(module IN ITEMS sphinx breathe myst_parser furo)
    if(NOT TRM_SITE_PYTHON)
      list(APPEND missing ${module})
      continue()
    endif()
    execute_process(COMMAND "${TRM_SITE_PYTHON}" -c "import importlib.util as u, sys; sys.exit(u.find_spec('${module}') is None)"
                    RESULT_VARIABLE absent OUTPUT_QUIET ERROR_QUIET)
    if(absent)
      list(APPEND missing ${module})
    endif()
  endforeach()
  if(missing)
    list(JOIN missing ", " missing)
    trm_skipped_test(repository.site "it needs ${missing}")
  else()
    add_test(NAME repository.site COMMAND "${PROJECT_SOURCE_DIR}/docs/build.sh" "${CMAKE_CURRENT_BINARY_DIR}/site")
  endif()
  trm_label_test(repository.site)
endif()
