// SPDX-License-Identifier: MIT
// The builds of the published builder that are recorded in arc_dataset/expected.json.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "trm/data/arc/builder.hpp"
#include "trm/io/json.hpp"

namespace trm_test {

/// The options that make the recorded build `recorded` from the data in `data_dir`.
inline trm::arc::build_options options_of(const trm::json& recorded, const std::filesystem::path& data_dir,
                                          const std::filesystem::path& output) {
  trm::arc::build_options options;
  options.source = (data_dir / "arc/arc-agi").string();
  options.subsets = recorded["subsets"].get<std::vector<std::string>>();
  if (recorded["test_set_name"] != "none") options.test_set = recorded["test_set_name"];
  options.augmentations = recorded["num_aug"];
  options.seed = recorded["seed"];
  options.output = output;
  return options;
}

}  // namespace trm_test
