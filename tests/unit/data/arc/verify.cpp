// SPDX-License-Identifier: MIT
#include "trm/data/arc/verify.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "small_sources.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/io/npy.hpp"

using namespace trm::arc;
using trm_test::check_error;
using trm_test::temporary_folder;

namespace {

verify_options sources_of(const build_options& o) {
  verify_options v;
  v.sources = {
      .source = o.source, .subsets = o.subsets, .test_set = o.test_set, .test_set2 = o.test_set2, .filter = o.filter};
  return v;
}

/// One byte of the data of a .npy replaced.
void set_byte(const std::filesystem::path& file, std::size_t at, int value) {
  std::string bytes = trm_test::get(file);
  const std::size_t data = bytes.size() - trm::npy_file::open(file).bytes().size();
  bytes[data + at] = static_cast<char>(value);
  trm_test::put(file, bytes);
}

void set_text(const std::filesystem::path& file, const std::string& from, const std::string& to) {
  std::string text = trm_test::get(file);
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  trm_test::put(file, text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("a dataset as built is right, in both forms, with its sources and without") {
  const temporary_folder folder;
  build_options options = trm_test::small_sources(folder);
  for (const bool virtual_form : {false, true}) {
    options.virtual_form = virtual_form;
    options.output = folder / (virtual_form ? "virtual" : "files");
    const build_report built = build(options);
    for (const bool with_sources : {false, true}) {
      std::int64_t done = 0, total = 0;
      verify_options how = with_sources ? sources_of(options) : verify_options{};
      how.progress = [&](const verify_progress& p) { done = p.done, total = p.total; };
      const verify_report report = verify(options.output, how);
      CHECK(report.splits == built.splits);
      CHECK(report.identifiers == built.identifiers);
      CHECK(report.with_sources == with_sources);
      CHECK(report.virtual_form == virtual_form);
      CHECK(done == total);
      CHECK(total == 10);  // of test
    }
  }
}

TEST_CASE("each thing that is wrong is named") {
  const temporary_folder folder;
  const build_options options = trm_test::small_sources(folder);
  build(options);
  const auto& root = options.output;
  /// What is said of the folder alone, and with the sources.
  const auto broken = [&](const char* words, const char* with_sources, const char* file,
                          const std::function<void()>& change) {
    const std::string before = trm_test::get(root / file);
    change();
    check_error([&] { verify(root); }, words);
    check_error([&] { verify(root, sources_of(options)); }, with_sources);
    trm_test::put(root / file, before);
  };
  const auto in_file = [&](const char* words, const char* file, std::size_t at, int value) {
    broken(words, words, file, [&] { set_byte(root / file, at, value); });
  };
  const auto in_text = [&](const char* words, const char* file, const char* from, const char* to) {
    broken(words, words, file, [&] { set_text(root / file, from, to); });
  };
  // Tokens: outside the vocabulary, a wrong cell, a wrong end of grid, padding that is none.
  in_file("train/all__inputs.npy: row 0, position 0: token 12", "train/all__inputs.npy", 0, 12);
  in_file("train/all__labels.npy: row 0, position 24: token 200", "train/all__labels.npy", 24, 200);
  in_file("train/all__labels.npy: row 5: position ", "train/all__labels.npy", 5 * 25 + 24, 7);
  in_file("train/all__inputs.npy: row 5: position ", "train/all__inputs.npy", 5 * 25 + 24, 7);
  in_file("test/all__labels.npy: row 3: position 24: token 1, expected 0", "test/all__labels.npy", 3 * 25 + 24, 1);
  in_file("test/all__inputs.npy: row 0: ", "test/all__inputs.npy", 0, 0);
  // Descriptions.
  in_text("/total_puzzles: is 16, expected 15", "train/dataset.json", "\"total_puzzles\":15", "\"total_puzzles\":16");
  in_text("/mean_puzzle_examples: is ", "test/dataset.json", "\"mean_puzzle_examples\":2.0",
          "\"mean_puzzle_examples\":2.5");
  in_text("total_groups is 4, the sets hold 3", "train/dataset.json", "\"total_groups\":3", "\"total_groups\":4");
  in_text("/vocab_size: is 13, expected 12", "train/dataset.json", "\"vocab_size\":12", "\"vocab_size\":13");
  in_text("/num_puzzle_identifiers: is 17, expected 16", "train/dataset.json", "\"num_puzzle_identifiers\":16",
          "\"num_puzzle_identifiers\":17");
  // Boundaries and identifiers.
  in_file("puzzle_indices.npy: element 2 is 4 after 9", "train/all__puzzle_indices.npy", 4, 9);
  in_file("group_indices.npy: element 1 is 0 after 0", "train/all__group_indices.npy", 4, 0);
  in_file("puzzle_identifiers.npy: puzzle 0 has identifier 16", "train/all__puzzle_identifiers.npy", 0, 16);
  in_file("puzzle 1 has a blank identifier", "train/all__puzzle_identifiers.npy", 4, 0);
  in_file("no group of train has its puzzles", "test/all__puzzle_identifiers.npy", 4, 1);
  // Names.
  in_text("/num_puzzle_identifiers: is 16, expected 17", "identifiers.json", "\"<blank>\",", "\"<blank>\",\"new\",");
  in_text("|||t", "identifiers.json", "|||t", "|||x");
  in_text("does not begin with <blank>", "identifiers.json", "<blank>", "blank");
  // Held-out tasks.
  broken("test/all__inputs.npy: row 0: ", "test_puzzles.json: task held is not that of the sources",
         "test_puzzles.json", [&] { set_text(root / "test_puzzles.json", "[[4,5]]", "[[4,6]]"); });
}

TEST_CASE("sources that are not those of the dataset are named") {
  const temporary_folder folder;
  const build_options options = trm_test::small_sources(folder);
  build(options);
  const auto with = [&](const char* words, const std::function<void(verify_options&)>& change) {
    verify_options v = sources_of(options);
    change(v);
    check_error([&] { verify(options.output, v); }, words);
  };
  with("the subsets have 2 tasks", [](verify_options& v) { v.sources.subsets = {"a"}; });
  with("has no task", [](verify_options& v) { v.sources.subsets = {"b", "a"}; });
  with("task held is not held out", [](verify_options& v) { v.sources.test_set = ""; });
  with("is missing", [](verify_options& v) { v.sources.test_set2 = "a"; });
  set_text(folder / "small_a_challenges.json", "[[4,3]]", "[[4,2]]");
  with("train/all__labels.npy: row ", [](verify_options&) {});
}

TEST_CASE("where build.json says what was read, the source alone need be named") {
  const temporary_folder folder;
  build_options options = trm_test::small_sources(folder);
  options.filter.max_grid_side = 2;  // not of held
  options.filter.ids = {"two"};
  options.test_set = "";
  trm_test::put(folder / "small_a_challenges.json", R"({
    "one": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[6,7,8]], "output": [[1]]}]},
    "two": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[0,1]], "output": [[2]]}]},
    "three": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[0,1]], "output": [[2]]}]}})");
  options.filter.max_tasks = 5;
  build(options);
  verify_options how;
  how.sources.source = options.source;
  const verify_report report = verify(options.output, how);
  CHECK(report.with_sources);
  CHECK(report.splits[0].groups == 1);
  const verify_sources recorded = recorded_sources(options.output, options.source);
  CHECK(recorded.subsets == options.subsets);
  CHECK(recorded.filter.ids == options.filter.ids);
  CHECK(recorded.filter.max_grid_side == 2);
  CHECK(recorded.filter.max_tasks == 5);

  const auto file = options.output / "build.json";
  const std::string before = trm_test::get(file);
  set_text(file, "\"identifiers\": 6", "\"identifiers\": 7");
  check_error([&] { verify(options.output); }, "build.json: /report/identifiers: is 7, identifiers.json has 6");
  trm_test::put(file, before);
  set_text(file, "\"groups\": 1", "\"groups\": 2");
  check_error([&] { verify(options.output); }, "build.json: /report/splits: are not those of the dataset");
  trm_test::put(file, before);
  set_text(file, "\"max_side\": 2", "\"max_side\": 31");
  check_error([&] { verify(options.output, how); }, "build.json: /options/max_side: ");
  trm_test::put(file, before);
  set_text(file, "\"two\"", "\"three\"");
  check_error([&] { verify(options.output, how); }, "has no task two");
  std::filesystem::remove(file);
  CHECK_NOTHROW(verify(options.output));
  check_error([&] { verify(options.output, how); }, "build.json: is not there to say what was read");
}
