// SPDX-License-Identifier: MIT
#include "trm/data/maze/builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/core/sha256.hpp"
#include "trm/data/dataset.hpp"

using namespace trm::maze;
using trm_test::check_error;
using trm_test::put;
using trm_test::temporary_folder;

namespace {

/// Rows [first, last) of a table whose cells are arithmetic: no mazes, which is all the same to a builder.
std::string arithmetic_table(std::size_t first, std::size_t last) {
  std::string text = "source,q,a,rating\n";
  for (std::size_t m = first; m < last; ++m) {
    std::string q, a;
    for (std::size_t i = 0; i < 25; ++i) {
      q += characters[(i * i / 3 + 7 * m * i + m) % 5];
      a += characters[(i * i / 4 + 5 * m + i) % 5];
    }
    text += "s" + std::to_string(m) + "," + q + "," + a + "," + std::to_string(m) + "\n";
  }
  return text;
}

build_options arithmetic_options(const temporary_folder& folder) {
  put(folder / "train.csv", arithmetic_table(0, 7));
  put(folder / "test.csv", arithmetic_table(7, 11));
  build_options options;
  options.train = folder / "train.csv";
  options.test = folder / "test.csv";
  options.output = folder / "built";
  return options;
}

std::string digest_of(const std::filesystem::path& file) {
  trm::sha256 hash;
  hash.update(trm_test::get(file));
  return trm::to_hex(hash.finish());
}

using digests = std::vector<std::pair<const char*, const char*>>;

void check_digests(const temporary_folder& folder, const digests& expected) {
  for (const auto& each : expected) {
    CAPTURE(each.first);
    CHECK(digest_of(folder / "built" / each.first) == each.second);
  }
}

}  // namespace

// Digests and metadata below were recorded from the published build_maze_dataset.py (commit e7b6871) on the same
// tables.
TEST_CASE("the arrays are those of the published builder, byte for byte") {
  const temporary_folder folder;
  build(arithmetic_options(folder));
  check_digests(
      folder,
      {{"train/all__group_indices.npy", "daa3afc5deae8e86e3ce317b0292c60d49e3bae5b6cf01560d30820107fcfb4f"},
       {"train/all__inputs.npy", "1cb94a22f154cf8742720e130801d4cfb3ffcdaa725944ec355a39b113e297e4"},
       {"train/all__labels.npy", "30ce92c763389ef6838e1c948fb004cd6fae25c739892d51d96fb766047012e0"},
       {"train/all__puzzle_identifiers.npy", "ec608fd5207de344f99faab6dbaae61e09d679c627afd02a391bdce296fa9a5d"},
       {"train/all__puzzle_indices.npy", "daa3afc5deae8e86e3ce317b0292c60d49e3bae5b6cf01560d30820107fcfb4f"},
       {"test/all__group_indices.npy", "bdad22b13216ce0addbaa0baf0ba8b8451f87b11f2cba01509cd75d9d1d235aa"},
       {"test/all__inputs.npy", "bb29d34da7be3cdf34b19be084c1864bb85df250ffa4d169fde55b5866f02a39"},
       {"test/all__labels.npy", "fa505fee24848b94b638f92c7d5f8b41da2b8aaae092297011341679ebac7962"},
       {"test/all__puzzle_identifiers.npy", "2cbc6937e6d49834d1bd2be7b06fc1ad4d472897f4e881ed05b1998a731417f2"},
       {"test/all__puzzle_indices.npy", "bdad22b13216ce0addbaa0baf0ba8b8451f87b11f2cba01509cd75d9d1d235aa"},
       {"identifiers.json", "55b844f3f061906c654510cc0c4a5834e4d336540c74a68576211b20fa5f0bea"}});
  CHECK(trm::read_json(folder / "built/test/dataset.json") ==
        trm::json::parse(R"({"pad_id": 0, "ignore_label_id": 0, "blank_identifier_id": 0, "vocab_size": 6,
          "seq_len": 25, "num_puzzle_identifiers": 1, "total_groups": 4, "mean_puzzle_examples": 1.0,
          "total_puzzles": 4, "sets": ["all"]})"));
}

TEST_CASE("so are they with a subsample, numpy.random.seed(3), and symmetries, which the test split does not get") {
  const temporary_folder folder;
  build_options options = arithmetic_options(folder);
  options.subsample = 5;
  options.symmetries = true;
  options.seed = 3;
  build(options);
  check_digests(
      folder,
      {{"train/all__group_indices.npy", "8b2796b48578afc842e1ed06f487864a05f4b398f81079eed24655d7548187d3"},
       {"train/all__inputs.npy", "846d5b3d9c2310a7b2c9a3c810865e89942ca85bb2fc49b9ff9e676e584af7ad"},
       {"train/all__labels.npy", "3388764fdaad0fb1cd8728f5e758b0ad1a86af82d9d4bcc61d48b2d9d2ed6ab9"},
       {"train/all__puzzle_identifiers.npy", "491eda339bbb8390734ae43fdfd7bd037af181ceb3c87a85c76321be67ef8a60"},
       {"train/all__puzzle_indices.npy", "1652a65162ad39fdc70f27d70c5f2a822eac8d7fb1023cf9f31f735fc1a24b7a"},
       {"test/all__inputs.npy", "bb29d34da7be3cdf34b19be084c1864bb85df250ffa4d169fde55b5866f02a39"},
       {"test/all__labels.npy", "fa505fee24848b94b638f92c7d5f8b41da2b8aaae092297011341679ebac7962"}});
  const trm::dataset_metadata train = trm::read_dataset_metadata(folder / "built/train/dataset.json");
  CHECK(train.total_groups == 5);
  CHECK(train.total_puzzles == 40);  // the published builder says 5, the number of groups
  CHECK(trm::dataset::open(folder / "built", "train").sources()[0].puzzles() == 40);
}

TEST_CASE("a subsample of as many mazes as there are, or more, leaves their order as it is") {
  const temporary_folder folder;
  build_options options = arithmetic_options(folder);
  options.test.clear();
  options.subsample = 7;
  const auto reports = build(options);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].mazes == 7);
  CHECK(digest_of(folder / "built/train/all__inputs.npy") ==
        "1cb94a22f154cf8742720e130801d4cfb3ffcdaa725944ec355a39b113e297e4");
  CHECK(!std::filesystem::exists(folder / "built/test"));
}

TEST_CASE("what is odd about the mazes is counted") {
  const temporary_folder folder;
  put(folder / "t.csv",
      "source,q,a,rating\n"
      "right,S # # #G ,S # # #G ,\n"    // no way
      "right,S##  ##G#,S##oo##G#,\n"    // one shortest path
      "several,S   #   G,Sooo#o  G,\n"  // no path marked, two shortest
      "long,SG  # ###,SG  # ###,\n"
      "no start, G  # ###, G  # ###,\n"
      "detour,S G   ###,S Gooo###,\n");
  build_options options;
  options.test = folder / "t.csv";
  options.output = folder / "built";
  const split_report report = build(options)[0];
  CHECK(report.name == "test");
  CHECK(report.mazes == 6);
  CHECK(report.malformed == 1);
  CHECK(report.not_a_path == 2);
  CHECK(report.not_shortest == 1);
  CHECK(report.several_shortest == 1);
  CHECK(report.shortest_path == 1);
  CHECK(report.longest_path == 4);
}

TEST_CASE("what cannot be built leaves nothing behind") {
  const temporary_folder folder;
  build_options options = arithmetic_options(folder);
  const int before = folder.files();
  put(folder / "test.csv", "source,q,a,rating\nx,S  G,SooG,2\n");
  check_error([&] { build(options); }, "test.csv: mazes of side 2, those of the other split have 5");
  put(folder / "test.csv", "source,q,a,rating\nx,S  G,SooG,2\nx,S");
  check_error([&] { build(options); }, "test.csv: line 3: 2 fields");
  options.subsample = 0;
  check_error([&] { build(options); }, "a subsample of no mazes");
  CHECK(folder.files() == before);
  check_error([&] { build({.output = folder / "built"}); }, "no table is named");
}
