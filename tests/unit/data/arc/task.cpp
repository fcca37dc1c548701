// SPDX-License-Identifier: MIT
#include "trm/data/arc/task.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "grids.hpp"
#include "support/corruption.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/numpy_random.hpp"

using namespace trm::arc;
using trm_test::grid_of;
using trm_test::put;
using trm_test::temporary_folder;

static const std::string combined = R"({
  "b": {"train": [{"input": [[1,2],[3,4]], "output": [[5]]}], "test": [{"input": [[6,7]]}, {"input": [[8]], "output": [[9]]}]},
  "a": {"test": [{"input": [[0]]}], "train": [{"output": [[1]], "input": [[2]]}], "source": "somewhere"}})";

TEST_CASE("the combined layout, in the order of the file") {
  const std::vector<task> tasks = parse_tasks(combined, "FILE", "unused");
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].id == "b");
  CHECK_FALSE(tasks[0].test_first);
  REQUIRE(tasks[0].train.size() == 1);
  CHECK(tasks[0].train[0].input == grid_of({"12", "34"}));
  CHECK(*tasks[0].train[0].output == grid_of({"5"}));
  REQUIRE(tasks[0].test.size() == 2);
  CHECK(tasks[0].test[0].input == grid_of({"67"}));
  CHECK_FALSE(tasks[0].test[0].output.has_value());
  CHECK(*tasks[0].test[1].output == grid_of({"9"}));
  CHECK(tasks[1].id == "a");
  CHECK(tasks[1].test_first);
}

TEST_CASE("what is written is what was read") {
  const std::vector<task> tasks = parse_tasks(combined, "FILE", "unused");
  const std::string text = to_json(tasks);
  CHECK(
      text ==
      R"({"b":{"train":[{"input":[[1,2],[3,4]],"output":[[5]]}],"test":[{"input":[[6,7]]},{"input":[[8]],"output":[[9]]}]},)"
      R"("a":{"test":[{"input":[[0]]}],"train":[{"input":[[2]],"output":[[1]]}]}})");
  CHECK(to_json(parse_tasks(text, "FILE", "unused")) == text);
  CHECK(to_json(std::vector<task>{}) == "{}");
  CHECK(to_json(grid()) == "[]");
}

TEST_CASE("solutions are given to their tasks") {
  std::vector<task> tasks = parse_tasks(combined, "FILE", "unused");
  add_solutions(tasks, R"({"a": [[[1,1]]], "b": [[[2]], [[3],[3]]], "c": "ignored"})", "SOLUTIONS");
  CHECK(*tasks[0].test[0].output == grid_of({"2"}));
  CHECK(*tasks[0].test[1].output == grid_of({"3", "3"}));
  CHECK(*tasks[1].test[0].output == grid_of({"11"}));
}

TEST_CASE("files, folders and subsets") {
  const temporary_folder folder;
  const std::string one = R"({"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]})";
  std::filesystem::create_directory(folder / "some");
  put(folder / "some/z.json", one);
  put(folder / "some/a.json", one);
  put(folder / "some/notes.txt", "not a task");
  put(folder / "arc_x_challenges.json", combined);
  put(folder / "all.json", combined);

  CHECK(read_tasks(folder / "some/z.json").at(0).id == "z");
  const std::vector<task> tasks = read_tasks(folder / "some");
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].id == "a");
  CHECK(tasks[1].id == "z");

  const std::string root = folder.path().string();
  CHECK(read_subset(root, "some").size() == 2);
  CHECK(read_subset(root, "all").size() == 2);
  CHECK_FALSE(read_subset(root + "/arc", "x")[0].test[0].output.has_value());
  put(folder / "arc_x_solutions.json", R"({"a": [[[1]]], "b": [[[2]], [[3]]]})");
  CHECK(read_subset(root + "/arc", "x")[0].test[0].output.has_value());
  CHECK_THROWS_WITH_AS(
      read_subset(root, "none"),
      (root + "_none_challenges.json: no such file, nor a folder " + root + "/none, nor " + root + "/none.json")
          .c_str(),
      trm::error);
  CHECK_THROWS_AS(read_tasks(folder / "missing.json"), trm::error);
  std::filesystem::create_directory(folder / "empty");
  CHECK_THROWS_AS(read_tasks(folder / "empty"), trm::error);
}

TEST_CASE("malformed tasks are refused, with file, task and position") {
  const std::string pair = R"({"input": [[1]], "output": [[2]]})";
  const auto with_input = [&](const std::string& grid) {
    return R"({"t": {"train": [)" + pair + R"(, {"input": )" + grid +
           R"(, "output": [[1]]}], "test": [{"input": [[1]]}]}})";
  };
  std::string wide = "[[0", tall = "[[0]";
  for (int i = 0; i < 30; ++i) wide += ",0", tall += ",[0]";
  wide += "]]", tall += "]";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {with_input("[[1,2],[3,4],[5,6,7]]"), "task t: train[1].input: row 2 has 3 cells, row 0 has 2"},
      {with_input("[[1,2],[]]"), "task t: train[1].input: row 1 has 0 cells, row 0 has 2"},
      {with_input("[]"), "task t: train[1].input: 0 rows, expected 1 to 30"},
      {with_input("[[]]"), "task t: train[1].input: row 0 has 0 cells, expected 1 to 30"},
      {with_input(wide), "task t: train[1].input: row 0 has 31 cells, expected 1 to 30"},
      {with_input(tall), "task t: train[1].input: 31 rows, expected 1 to 30"},
      {with_input("[[1,10]]"), "task t: train[1].input: row 0, column 1: expected a colour 0 to 9, found 10"},
      {with_input("[[1],[-1]]"), "task t: train[1].input: row 1, column 0: expected a colour 0 to 9, found -1"},
      {with_input("[[1.0]]"), "task t: train[1].input: row 0, column 0: expected a colour 0 to 9, found 1.0"},
      {with_input("[[true]]"), "task t: train[1].input: row 0, column 0: expected a colour 0 to 9, found true"},
      {with_input("[[\"1\"]]"), "task t: train[1].input: row 0, column 0: expected a colour 0 to 9, found \"1\""},
      {with_input("[[null]]"), "task t: train[1].input: row 0, column 0: expected a colour 0 to 9, found null"},
      {with_input("[[[1]]]"), "task t: train[1].input: row 0, column 0: expected a colour 0 to 9, found an array"},
      {with_input("[[18446744073709551615]]"),
       "task t: train[1].input: row 0, column 0: expected a colour 0 to 9, found 18446744073709551615"},
      {with_input("[1]"), "task t: train[1].input: row 0: expected cells, found 1"},
      {with_input("7"), "task t: train[1].input: expected rows of cells, found 7"},
      {with_input("{\"a\":1}"), "task t: train[1].input: expected rows of cells, found an object"},
      {R"({"t": {"train": [{"input": [[1]]}], "test": [{"input": [[1]]}]}})",
       "task t: train[0]: \"output\" is missing"},
      {R"({"t": {"train": [)" + pair + R"(], "test": [{"output": [[1]]}]}})", "task t: test[0]: \"input\" is missing"},
      {R"({"t": {"train": [)" + pair + R"(], "test": [{"input": [[1]], "output": [[11]]}]}})",
       "task t: test[0].output: row 0, column 0: expected a colour 0 to 9, found 11"},
      {R"({"t": {"train": [)" + pair + "]}}", "task t: \"test\" is missing"},
      {R"({"t": {"test": [{"input": [[1]]}]}})", "task t: \"train\" is missing"},
      {R"({"t": {"train": [], "test": [{"input": [[1]]}]}})", "task t: train: no pair of grids"},
      {R"({"t": {"train": [)" + pair + R"(], "test": []}})", "task t: test: no pair of grids"},
      {R"({"t": {"train": {}, "test": []}})", "task t: train: expected pairs of grids, found {}"},
      {R"({"t": {"train": [7], "test": []}})", "task t: train[0]: expected an object, found 7"},
      {R"({"t": 3})", "task t: expected an object, found 3"},
      {R"({"a|||b": {}})", "task a|||b: a name may not contain |||"},
      {R"({"a\nb": {}})", "task a?b: a name with control characters"},
      {"{\"a\x7f\": {}}", "task a?: a name with control characters"},
      {R"({"": {}})", "task \"\": a task without a name"},
      {"[]", "expected an object"},
      {R"({"train": [)" + pair + "]}", "task NAME: \"test\" is missing"},
  };
  for (const auto& [source, message] : cases) {
    const std::string& text = source;  // clang 14 captures no structured binding
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_tasks(text, "FILE", "NAME"), ("FILE: " + message).c_str(), trm::error);
  }
  CHECK_THROWS_AS(parse_tasks(R"({"t": {}, "t": {}})", "FILE", "NAME"), trm::error);  // the strict parser's part
}

TEST_CASE("malformed solutions are refused") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"a": [[[1]]]})", "task b: no solution"},
      {R"({"b": [[[1]]], "a": [[[1]]]})", "task b: expected one output for each of 2 test inputs, found 1"},
      {R"({"b": [[[1]],[[1]],[[1]]]})", "task b: expected one output for each of 2 test inputs, found 3"},
      {R"({"b": {"0": 1}})", "task b: expected one output for each of 2 test inputs, found no array"},
      {R"({"b": [[[1]], [[1],[2,3]]]})", "task b: [1]: row 1 has 2 cells, row 0 has 1"},
      {"3", "expected an object"},
  };
  for (const auto& [source, message] : cases) {
    const std::string& text = source;  // clang 14 captures no structured binding
    CAPTURE(text);
    std::vector<task> tasks = parse_tasks(combined, "FILE", "NAME");
    CHECK_THROWS_WITH_AS(add_solutions(tasks, text, "FILE"), ("FILE: " + message).c_str(), trm::error);
  }
}

TEST_CASE("whatever the bytes: tasks or an error") {
  const auto counts = trm_test::corrupt(combined, [](const std::string& bytes) {
    for (const task& t : parse_tasks(bytes, "FILE", "NAME")) {
      CHECK_FALSE(t.train.empty());
      for (const example& pair : t.train) CHECK_FALSE(pair.input.empty());
    }
  });
  CHECK(counts.refused > 1000);
  CHECK(counts.accepted > 10);  // other digits, other names
  trm_test::corrupt(R"({"b": [[[1,2],[3,4]],[[0]]], "a": [[[1]]]})", [](const std::string& bytes) {
    std::vector<task> tasks = parse_tasks(combined, "FILE", "NAME");
    add_solutions(tasks, bytes, "FILE");
  });
}

TEST_CASE("every grid of the corpus survives augmentation and tokens") {
  const auto data = trm_test::data_dir();
  if (!trm_test::available(data, "arc/arc-agi_training2_challenges.json")) return;
  trm::numpy_random random(0);
  std::size_t tasks = 0, grids = 0;
  for (const char* subset : {"training", "evaluation", "training2", "evaluation2", "concept"}) {
    for (const task& t : read_subset((*data / "arc/arc-agi").string(), subset)) {
      ++tasks;
      augmentation how{.transform = static_cast<int>(random.randint(0, 8))};
      random.shuffle(how.colours);
      const puzzle_name name = parse_name(compose_name(t.id, how));
      REQUIRE(name.task == t.id);
      const auto check = [&](const grid& g) {
        ++grids;
        std::vector<std::uint8_t> tokens(900);
        encode<std::uint8_t>(how.apply(g), 30, 0, 0, tokens);
        REQUIRE(name.how.inverse().apply(crop<std::uint8_t>(tokens, 30)) == g);
      };
      for (const auto* examples : {&t.train, &t.test}) {
        for (const example& pair : *examples) {
          check(pair.input);
          check(pair.output.value());
        }
      }
    }
  }
  CHECK(tasks == 2080);
  CHECK(grids > 2 * 4 * tasks);
}
