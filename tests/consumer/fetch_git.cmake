# SPDX-License-Identifier: MIT
# FetchContent from a tag of a git repository, made here: the sources as they are, and behind the tag a commit that fails.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

set(repository "${WORK_DIR}/repository")
copy_source("${repository}")
# Whatever the user's own configuration of git says.
set(ENV{GIT_CONFIG_GLOBAL} /dev/null)
set(ENV{GIT_CONFIG_NOSYSTEM} 1)
function(git)
  run("${TOOL}" -C "${repository}" -c user.name=trm -c user.email=trm@localhost -c init.defaultBranch=main ${ARGV})
endfunction()
git(init --quiet)
git(add .)
git(commit --quiet -m release)
git(tag v${VERSION})
file(WRITE "${repository}/CMakeLists.txt" "message(FATAL_ERROR \"this is not the tag that was asked for\")\n")
git(commit --quiet --all -m later)

configure_and_build("${CMAKE_CURRENT_LIST_DIR}/fetch" "${WORK_DIR}/build folder" "-DTRM_REPOSITORY=file://${repository}"
                    "-DTRM_TAG=v${VERSION}")
run("${WORK_DIR}/build folder/consumer" "${VERSION}")
