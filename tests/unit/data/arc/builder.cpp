// SPDX-License-Identifier: MIT
#include "trm/data/arc/builder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "trm/core/sha256.hpp"
#include "trm/io/json.hpp"
#include "support/reference.hpp"

TEST_CASE("the recorded builds of the published builder, byte for byte") {
  const auto data = trm_test::data_dir(), reference = trm_test::reference_dir();
  if (!trm_test::available(data, "arc/arc-agi_concept_challenges.json")) return;
  if (!trm_test::available(reference, "arc_dataset/expected.json")) return;
  const trm::json expected = trm::read_json(*reference / "arc_dataset/expected.json");
  for (const auto& [name, build] : expected.items()) {
    CAPTURE(name);
    trm::arc::build_options options;
    options.source = (*data / "arc/arc-agi").string();
    options.subsets = build["subsets"].get<std::vector<std::string>>();
    if (build["test_set_name"] != "none") options.test_set = build["test_set_name"];
    options.augmentations = build["num_aug"];
    options.seed = build["seed"];
    options.output = std::filesystem::temp_directory_path() / ("trm-arc-" + name);
    std::filesystem::remove_all(options.output);
    trm::arc::build(options);
    for (const auto& [file, facts] : build["files"].items()) {
      CAPTURE(file);
      trm::sha256 hash;
      if (facts.contains("sha256")) {
        hash.update(trm::read_file(options.output / file));
        CHECK(trm::to_hex(hash.finish()) == facts["sha256"]);
      } else {
        hash.update(trm::read_json(options.output / file).dump());
        CHECK(trm::to_hex(hash.finish()) == facts["canonical_sha256"]);
      }
    }
  }
}
