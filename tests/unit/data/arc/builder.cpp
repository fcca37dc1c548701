// SPDX-License-Identifier: MIT
#include "trm/data/arc/builder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "grids.hpp"
#include "recorded_build.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "trm/core/sha256.hpp"
#include "trm/data/dataset.hpp"

using namespace trm::arc;
using trm_test::put;
using trm_test::temporary_folder;

/// SHA-256 of an array's bytes, of a JSON document's canonical form.
static std::string digest_of(const std::filesystem::path& file) {
  trm::sha256 hash;
  hash.update(file.extension() == ".npy" ? trm_test::get(file) : trm::read_json(file).dump());
  return trm::to_hex(hash.finish());
}

TEST_CASE("the recorded builds of the published builder, byte for byte") {
  const auto data = trm_test::data_dir(), reference = trm_test::reference_dir();
  if (!trm_test::available(data, "arc/arc-agi_concept_challenges.json")) return;
  if (!trm_test::available(reference, "arc_dataset/expected.json")) return;
  const trm::json expected = trm::read_json(*reference / "arc_dataset/expected.json");
  REQUIRE(expected.size() == 3);
  for (const auto& build_of : expected.items()) {
    const trm::json& recorded = build_of.value();
    CAPTURE(build_of.key());
    const temporary_folder folder;
    build(trm_test::options_of(recorded, *data, folder / "built"));
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "built")) {
      files += entry.is_regular_file();
    }
    CHECK(files == recorded["files"].size() + 1);  // and build.json
    for (const auto& file : recorded["files"].items()) {
      const trm::json& facts = file.value();
      CAPTURE(file.key());
      CHECK(digest_of(folder / "built" / file.key()) ==
            facts[facts.contains("sha256") ? "sha256" : "canonical_sha256"]);
    }
  }
}

namespace {

/// Two subsets that share the task "one", with tests before demonstrations in some, a task whose name is not ASCII and, in the
/// second, no solutions.
void put_odd_sources(const temporary_folder& folder) {
  const auto repeated = [](const char* cell, int columns, int rows) {
    std::string row = "[", all = "[";
    for (int i = 0; i < columns; ++i) row += (i > 0 ? "," : "") + std::string(cell);
    for (int i = 0; i < rows; ++i) all += (i > 0 ? "," : "") + row + "]";
    return all + "]";
  };
  put(folder / "odd_a_challenges.json", R"({
    "one": {"train": [{"input": [[1,2],[3,4]], "output": [[4,3]]}, {"input": [[5]], "output": [[0]]}],
            "test": [{"input": [[6,7,8]]}, {"input": [[9],[9]]}]},
    "black": {"test": [{"input": [[0]], "output": [[0,0]]}], "train": [{"input": [[0,0,0]], "output": [[0]]}]},
    "\u00e9t\u00e9": {"test": [{"input": [[0,1]]}],
                      "train": [{"input": [[1,0]], "output": [[1,1]]}, {"input": [[2,0]], "output": [[2,2]]}]}})");
  put(folder / "odd_a_solutions.json",
      R"({"one": [[[1]], [[2,2]]], "black": [[[0,3]]], "\u00e9t\u00e9": [[[4,4,4]]], "other": []})");
  put(folder / "odd_b_challenges.json", R"({"two": {"train": [{"input": )" + repeated("1", 30, 30) +
                                            R"(, "output": [[2]]}], "test": [{"input": [[3]]}]},
      "one": {"test": [{"input": [[1,0],[0,0]], "output": [[7,7]]}, {"input": [[0,1]]}],
              "train": [{"input": [[0,2,0]], "output": [[2]]}, {"input": )" +
                                            repeated("8", 5, 3) + R"(, "output": )" + repeated("8", 4, 7) + "}]}}");
}

build_options odd_options(const temporary_folder& folder) {
  build_options options;
  options.source = (folder / "odd").string();
  options.subsets = {"a", "b"};
  options.test_set = "b";
  options.seed = 7;
  options.augmentations = 6;
  options.output = folder / "built";
  return options;
}

}  // namespace

TEST_CASE("repeated names, missing solutions and a first identifier of 3, as the published builder has them") {
  const temporary_folder folder;
  put_odd_sources(folder);
  build_options options = odd_options(folder);
  options.first_identifier = 3;
  const build_report report = build(options);
  // Recorded from the published builder on the same sources: input_file_prefix odd, subsets a b, test_set_name b, seed 7,
  // num_aug 6, puzzle_identifiers_start 3.
  const std::map<std::string, std::string> recorded = {
      {"identifiers.json", "490e7dfadcca9b1b0305c99f6c72d3f08ab2947fe0467bfe76b699937b348a52"},
      {"test_puzzles.json", "6298b952b21b55d9ab4be0b23d4af62e5156c9eca908ed3dce37ffdcdfc6005b"},
      {"test/all__group_indices.npy", "4c1f75179a4ee1f5451836dcea4914377d941bcc4f7c200a479024e5047d5b2f"},
      {"test/all__inputs.npy", "b37768fc8a7bf221be489ef071922af4ddd2f919f49fb4db815aa87e0eff5597"},
      {"test/all__labels.npy", "0321cb3c85ace024bcbc4a04cae90272a63a4f00ae3264d6e834a3bc9496279b"},
      {"test/all__puzzle_identifiers.npy", "cceece9a25798fbd7f432b9e805782fbb6ac96078abd1c48459b3aeb21b4079c"},
      {"test/all__puzzle_indices.npy", "6220987e52cbeac98db32e55a435b49a8ea262eec465344d61957a238210d5b3"},
      {"test/dataset.json", "e5cc277a0e1cc747ebe458de25d0b08360dc785778ff225a5a6acc6da872a0b6"},
      {"train/all__group_indices.npy", "dd3a116c13d2843c552a209ca5c8f50c64a8c2a3ce8fef942a1fc46cd7b8170e"},
      {"train/all__inputs.npy", "79ff3ebefbf005fe186f9416f871a0cf8b79c1e4eb59c5b8c22acafb89361d3f"},
      {"train/all__labels.npy", "8144929b7da9c7ba7bda8dac88762810155bd3c70c2280357cf959a87ec74fd9"},
      {"train/all__puzzle_identifiers.npy", "b5e31543c9eb8f38f6aeedf8459eef956705120edf6f0fb333f1765accf03786"},
      {"train/all__puzzle_indices.npy", "37633d1791f241efe789f77018c72a6152b50649f9432db4d49bd0e5856fc3b1"},
      {"train/dataset.json", "ab5915d26dc039c9723d6988a785ea2853599dbe181838aae516b6ae0a3bd242"},
  };
  for (const auto& entry : recorded) {
    CAPTURE(entry.first);
    CHECK(digest_of(options.output / entry.first) == entry.second);
  }
  CHECK(report.identifiers == 37);
  CHECK(report.without_solution == 2);
  CHECK(report.short_groups.empty());
  REQUIRE(report.splits.size() == 2);
  CHECK(report.splits[0].name == "train");
  CHECK(report.splits[0].groups == 5);
  CHECK(report.splits[0].puzzles == 35);
  CHECK(report.splits[1].name == "test");
  CHECK(report.splits[1].examples == 21);
}

TEST_CASE("without a test set there is no split test, without augmentations there is one puzzle a task") {
  const temporary_folder folder;
  put_odd_sources(folder);
  build_options options = odd_options(folder);
  options.test_set.clear();
  options.augmentations = 0;
  const build_report report = build(options);
  CHECK(report.splits.size() == 1);
  CHECK_FALSE(std::filesystem::exists(options.output / "test"));
  CHECK(trm_test::get(options.output / "test_puzzles.json") == "{}");
  const trm::dataset built = trm::dataset::open(options.output, "train");
  CHECK(built.metadata().total_puzzles == 5);
  CHECK(built.sources()[0].rows() == 4 + 2 + 3 + 2 + 4);
}

TEST_CASE("a task with few distinct augmentations is reported, and built with what there is") {
  const temporary_folder folder;
  std::filesystem::create_directory(folder / "s");
  put(folder / "s/zero.json",
      R"({"train": [{"input": [[0]], "output": [[0,0]]}], "test": [{"input": [[0]], "output": [[0]]}]})");
  build_options options;
  options.source = folder.path().string();
  options.subsets = {"s"};
  options.augmentations = 10;
  options.output = folder / "built";
  const build_report report = build(options);
  REQUIRE(report.short_groups.size() == 1);
  CHECK(report.short_groups[0] == std::pair<std::string, std::size_t>{"zero", 2});  // lying and standing
  CHECK(report.identifiers == 3);
}

TEST_CASE("a build of malformed sources names file, task and position, and leaves nothing") {
  const temporary_folder folder;
  const auto refused = [&](const std::string& tasks, const std::string& solutions, const std::string& message) {
    put(folder / "s_a_challenges.json", tasks);
    put(folder / "s_a_solutions.json", solutions);
    const int files = folder.files();
    build_options options;
    options.source = (folder / "s").string();
    options.subsets = {"a"};
    options.output = folder / "built";
    CHECK_THROWS_WITH_AS(build(options), (options.source + "_a_" + message).c_str(), trm::error);
    CHECK(folder.files() == files);
  };
  const auto with = [](const std::string& input, const std::string& output) {
    return R"({"t": {"train": [{"input": )" + input + output + R"(}], "test": [{"input": [[1]]}, {"input": [[2]]}]}})";
  };
  const std::string good = with("[[1]]", R"(, "output": [[2]])"), both = R"({"t": [[[1]], [[2]]]})";
  refused(with("[[1,2],[3]]", R"(, "output": [[2]])"), both,
          "challenges.json: task t: train[0].input: row 1 has 1 cells, row 0 has 2");
  refused(with("[]", R"(, "output": [[2]])"), both,
          "challenges.json: task t: train[0].input: 0 rows, expected 1 to 30");
  refused(with("[[1,10]]", R"(, "output": [[2]])"), both,
          "challenges.json: task t: train[0].input: row 0, column 1: expected a colour 0 to 9, found 10");
  refused(with("[[1]]", ""), both, "challenges.json: task t: train[0]: \"output\" is missing");
  refused(good, R"({"t": [[[1]]]})", "solutions.json: task t: expected one output for each of 2 test inputs, found 1");
  refused(good, R"({"t": [[[1]], [[1,2],[3]]]})", "solutions.json: task t: [1]: row 1 has 1 cells, row 0 has 2");
  refused(good, "{}", "solutions.json: task t: no solution");
}

TEST_CASE("a smaller canvas makes shorter examples") {
  const temporary_folder folder;
  put_odd_sources(folder);
  build_options options = odd_options(folder);
  options.canvas = 10;
  CHECK_THROWS_WITH_AS(build(options),
                       "task two: train[0].input: 30 x 30 cells do not fit on a canvas of 10: take a larger canvas or "
                       "only tasks with smaller grids",
                       trm::error);
  CHECK_FALSE(std::filesystem::exists(options.output));
  options.filter.max_grid_side = 7;
  build(options);
  const trm::dataset train = trm::dataset::open(options.output, "train");
  CHECK(train.metadata().seq_len == 100);
  CHECK(train.metadata().total_groups == 4);

  // Every test example is the task's own, under its augmentation.
  const trm::dataset test = trm::dataset::open(options.output, "test");
  const trm::dataset_set& set = test.sources()[0];
  const trm::json names = trm::read_json(options.output / "identifiers.json");
  const std::vector<task> tasks = read_tasks(options.output / "test_puzzles.json");
  REQUIRE(tasks.size() == 1);
  std::vector<std::int32_t> inputs(100), labels(100);
  for (std::int64_t puzzle = 0; puzzle < set.puzzles(); ++puzzle) {
    const puzzle_name name =
        parse_name(names[static_cast<std::size_t>(set.puzzle_identifier(puzzle))].get<std::string>());
    CHECK(name.task == "one");
    const auto rows = set.rows_of(puzzle);
    for (std::size_t i = 0; i < 2; ++i) {
      set.read(rows.first + static_cast<std::int64_t>(i), inputs.data(), labels.data());
      CHECK(name.how.inverse().apply(crop<std::int32_t>(inputs, 10)) == tasks[0].test[i].input);
      CHECK(name.how.inverse().apply(crop<std::int32_t>(labels, 10)) == *tasks[0].test[i].output);
    }
  }
}

TEST_CASE("the filter takes named tasks, small ones, a few") {
  const temporary_folder folder;
  put_odd_sources(folder);
  build_options options = odd_options(folder);
  options.augmentations = 1;

  options.filter.ids = {"one"};
  CHECK(build(options).splits[0].groups == 2);
  std::filesystem::remove_all(options.output);

  options.filter.ids = {"two", "three"};
  CHECK_THROWS_WITH_AS(build(options), "task three: no subset has it", trm::error);
  options.filter.ids = {"black"};
  CHECK_THROWS_WITH_AS(build(options), "test set b: the filter leaves no task in it", trm::error);
  options.test_set.clear();
  CHECK(build(options).splits[0].groups == 1);
  std::filesystem::remove_all(options.output);

  options.filter = {};
  options.filter.max_grid_side = 3;
  CHECK(build(options).splits[0].groups == 3);
  std::filesystem::remove_all(options.output);

  options.filter.max_grid_side = 0;
  CHECK_THROWS_WITH_AS(build(options), "subsets: the filter leaves no task", trm::error);

  options.filter = {};
  options.filter.max_tasks = 1;
  CHECK(build(options).splits[0].groups == 2);
}

TEST_CASE("a build that ends early leaves nothing, one that is done before is not overwritten") {
  const temporary_folder folder;
  put_odd_sources(folder);
  const int files = folder.files();
  build_options options = odd_options(folder);
  std::size_t calls = 0;
  options.progress = [&](const build_progress& p) {
    ++calls;
    CHECK_FALSE(std::filesystem::exists(options.output));
    CHECK(folder.files() == files + 1);  // the partial folder
    if (p.phase == build_phase::write && p.done == p.total) throw std::runtime_error("enough");
  };
  CHECK_THROWS_WITH_AS(build(options), "enough", std::runtime_error);
  CHECK(calls == 5 + 5 + 2);
  CHECK(folder.files() == files);

  options.progress = nullptr;
  options.output = folder / "not/there/yet/";
  build(options);
  CHECK(trm::dataset::open(folder / "not/there/yet", "test").metadata().total_groups == 2);
  const auto refused = (folder / "not/there/yet").string() + ": is there already: remove it or name another folder";
  options.augmentations = 5;
  CHECK_THROWS_WITH_AS(build(options), refused.c_str(), trm::error);
}

namespace {

/// Every file of a folder but build.json, by its name.
std::map<std::string, std::string> files_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto name = std::filesystem::relative(entry.path(), folder).string();
    if (entry.is_regular_file() && name != "build.json") all[name] = trm_test::get(entry.path());
  }
  return all;
}

}  // namespace

TEST_CASE("the same build is skipped, with its report; another one is not") {
  const temporary_folder folder;
  put_odd_sources(folder);
  build_options options = odd_options(folder);
  const build_report first = build(options);
  const auto files = files_of(options.output);
  CHECK_FALSE(first.already_there);
  std::size_t calls = 0;
  options.progress = [&](const build_progress&) { ++calls; };
  const build_report again = build(options);
  CHECK(again.already_there);
  CHECK(calls == 0);
  CHECK(again.splits == first.splits);
  CHECK(again.identifiers == first.identifiers);
  CHECK(again.short_groups == first.short_groups);
  CHECK(again.without_solution == 2);
  CHECK(again.unsolved_tasks == std::vector<std::string>{"two", "one"});
  CHECK(files_of(options.output) == files);

  const auto refused = [&](auto&& change) {
    build_options other = options;
    change(other);
    CHECK_THROWS_WITH_AS(build(other),
                         (options.output.string() + ": is there already: remove it or name another folder").c_str(),
                         trm::error);
  };
  refused([](build_options& o) { o.seed = 8; });
  refused([](build_options& o) { o.test_set.clear(); });
  refused([](build_options& o) { o.test_set2 = "a"; });
  refused([](build_options& o) { o.augmentations = 5; });
  refused([](build_options& o) { o.first_identifier = 2; });
  refused([](build_options& o) { o.filter.max_tasks = 100; });
  refused([](build_options& o) { o.subsets = {"b", "a"}; });
  refused([](build_options& o) { o.virtual_form = true; });
  CHECK(files_of(options.output) == files);

  // Other blanks in the sources are the same sources; another cell is not.
  const auto solutions = folder / "odd_a_solutions.json";
  const std::string text = trm_test::get(solutions);
  put(solutions, text + "\n");
  CHECK(build(options).already_there);
  put(solutions, std::string(text).replace(text.find('4'), 1, "5"));
  refused([](build_options&) {});
  put(solutions, text);

  // What cannot be read any more is not the same build.
  std::filesystem::remove(options.output / "test/all__labels.npy");
  CHECK_THROWS_AS(build(options), trm::error);
}

TEST_CASE("too little room is said before anything is written, with what is needed and what is free") {
  const temporary_folder folder;
  put_odd_sources(folder);
  for (const bool virtual_form : {false, true}) {
    build_options options = odd_options(folder);
    options.virtual_form = virtual_form;
    build(options);
    std::uint64_t used = 0;
    for (const auto& [name, bytes] : files_of(options.output)) used += bytes.size();
    used += trm_test::get(options.output / "build.json").size();
    std::filesystem::remove_all(options.output);

    std::size_t written = 0;
    options.progress = [&](const build_progress& p) { written += p.phase == build_phase::write; };
    options.available_space = used - 1;
    try {
      build(options);
      FAIL("built");
    } catch (const trm::error& e) {
      const std::string what = e.what();
      CHECK(what.find(" bytes, " + std::to_string(used - 1) + " are free: make room") != std::string::npos);
    }
    CHECK(written == 0);
    CHECK_FALSE(std::filesystem::exists(options.output));
    options.available_space = used + 100'000;  // the estimate is near
    build(options);
    std::filesystem::remove_all(options.output);
  }
}

TEST_CASE("nothing of an unfinished build can be opened") {
  const temporary_folder folder;
  put_odd_sources(folder);
  build_options options = odd_options(folder);
  options.progress = [&](const build_progress&) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      CHECK(entry.path().filename() != "dataset.json");
    }
  };
  build(options);
}

TEST_CASE("the same build in virtual form has the same rows, names and descriptions") {
  const temporary_folder folder;
  put_odd_sources(folder);
  build_options options = odd_options(folder);
  options.first_identifier = 3;
  build(options);
  build_options virtually = options;
  virtually.virtual_form = true;
  virtually.output = folder / "virtual";
  const build_report report = build(virtually);
  CHECK(report.splits.size() == 2);
  CHECK(build(virtually).already_there);
  for (const char* name : {"identifiers.json", "test_puzzles.json", "train/dataset.json", "test/dataset.json"}) {
    CHECK(trm_test::get(virtually.output / name) == trm_test::get(options.output / name));
  }
  for (const char* split : {"train", "test"}) {
    const trm::dataset files = trm::dataset::open(options.output, split);
    const trm::dataset made = trm::dataset::open(virtually.output, split);
    const trm::dataset_set &a = files.sources()[0], &b = made.sources()[0];
    CHECK_FALSE(a.is_virtual());
    CHECK(b.is_virtual());
    REQUIRE(a.rows() == b.rows());
    REQUIRE(a.puzzles() == b.puzzles());
    REQUIRE(a.groups() == b.groups());
    for (std::int64_t g = 0; g < a.groups(); ++g) CHECK(a.puzzles_of(g).last == b.puzzles_of(g).last);
    for (std::int64_t p = 0; p < a.puzzles(); ++p) {
      CHECK(a.rows_of(p).last == b.rows_of(p).last);
      CHECK(a.puzzle_identifier(p) == b.puzzle_identifier(p));
    }
    std::vector<std::int32_t> inputs(900), labels(900), made_inputs(900), made_labels(900);
    for (std::int64_t row = 0; row < a.rows(); ++row) {
      a.read(row, inputs.data(), labels.data());
      b.read(row, made_inputs.data(), made_labels.data());
      CHECK(inputs == made_inputs);
      CHECK(labels == made_labels);
    }
    CHECK_THROWS_AS(b.read(a.rows(), inputs.data(), labels.data()), trm::error);
    CHECK_THROWS_AS(b.read(-1, inputs.data(), labels.data()), trm::error);
  }
  put(virtually.output / "test/all__inputs.npy", "");
  CHECK_THROWS_WITH_AS(trm::dataset::open(virtually.output, "test"),
                       ((virtually.output / "test/all__virtual.safetensors").string() +
                        ": the set is there as arrays, too: remove one of the two")
                           .c_str(),
                       trm::error);
}

TEST_CASE("options that make no sense are refused") {
  const temporary_folder folder;
  put_odd_sources(folder);
  const auto refused = [&](auto&& change) {
    build_options options = odd_options(folder);
    change(options);
    try {
      build(options);
    } catch (const trm::error& e) {
      CHECK_FALSE(std::filesystem::exists(folder / "built"));
      return std::string(e.what());
    }
    return std::string("built");
  };
  CHECK(refused([](build_options& o) { o.subsets.clear(); }) == "subsets: none is named");
  CHECK(refused([](build_options& o) { o.augmentations = -1; }) == "augmentations: may not be negative");
  CHECK(refused([](build_options& o) { o.first_identifier = 0; }) ==
        "first_identifier: must be at least 1, 0 is the blank one");
  CHECK(refused([](build_options& o) { o.canvas = 31; }) == "canvas: must be 1 to 30");
  CHECK(refused([](build_options& o) { o.canvas = 0; }) == "canvas: must be 1 to 30");
  CHECK(refused([](build_options& o) { o.test_set2 = "c"; }) == "test_set: \"c\" is not among the subsets");
  CHECK(refused([](build_options& o) { o.output.clear(); }) == "output: no folder is named");
  CHECK(refused([](build_options& o) { o.subsets.push_back("c"); }).find("odd_c_challenges.json") != std::string::npos);
}
