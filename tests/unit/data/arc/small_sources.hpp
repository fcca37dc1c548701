// SPDX-License-Identifier: MIT
// A small pair of subsets for tests of datasets: tasks of many sides, one held out with two test inputs.
#pragma once
#include <string>

#include "support/temporary_folder.hpp"
#include "trm/data/arc/builder.hpp"

namespace trm_test {

inline trm::arc::build_options small_sources(const temporary_folder& folder) {
  put(folder / "small_a_challenges.json", R"({
    "one": {"train": [{"input": [[1,2],[3,4]], "output": [[4,3]]}, {"input": [[5]], "output": [[0,6,7]]}],
            "test": [{"input": [[6,7,8]], "output": [[1]]}]},
    "two": {"test": [{"input": [[0,1]], "output": [[2,2],[1,2]]}],
            "train": [{"input": [[1,0],[2,3],[3,3]], "output": [[1,1]]}]}})");
  put(folder / "small_b_challenges.json", R"({
    "held": {"train": [{"input": [[1,2,3]], "output": [[3,2,1]]}],
             "test": [{"input": [[4,5]], "output": [[5,4]]}, {"input": [[1],[2]], "output": [[7,8,9]]}]}})");
  trm::arc::build_options options;
  options.source = (folder / "small").string();
  options.subsets = {"a", "b"};
  options.test_set = "b";
  options.seed = 3;
  options.augmentations = 4;
  options.canvas = 5;
  options.output = folder / "files";
  return options;
}

}  // namespace trm_test
