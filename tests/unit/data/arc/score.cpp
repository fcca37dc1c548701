// SPDX-License-Identifier: MIT
#include "trm/data/arc/score.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "grids.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "trm/data/wilson.hpp"

using namespace trm::arc;
using trm_test::grid_of;

namespace {

/// "a" with two test inputs, "b" with one.
std::vector<task> small_tasks() {
  const example demonstration{grid_of({"12"}), grid_of({"12"})};
  return {{"a", {demonstration}, {{grid_of({"12"}), grid_of({"21"})}, {grid_of({"34"}), grid_of({"43"})}}, false},
          {"b", {demonstration}, {{grid_of({"5"}), grid_of({"6"})}}, false}};
}
score graded(const std::string& text) {
  const std::vector<task> tasks = small_tasks();
  return grade(text, "s.json", tasks);
}

}  // namespace

TEST_CASE("a submission in Kaggle's format") {
  const score s =
      graded(R"({"a": [{"attempt_1": [[2,1]], "attempt_2": [[0]]}, {"attempt_1": [[3,4]], "attempt_2": [[4,3]]}],)"
             R"( "b": [{"attempt_1": [[7]], "attempt_2": [[8]]}]})");
  REQUIRE(s.passes.size() == 2);
  CHECK(s.passes[0].per_task == 0.25);
  CHECK(s.passes[0].per_input == doctest::Approx(1.0 / 3));
  CHECK(s.passes[1].per_task == 0.5);
  CHECK(s.passes[1].per_input == doctest::Approx(2.0 / 3));
  CHECK(s.problems.empty());
  CHECK(s.attempts == 6);
  CHECK(s.of_attempts.shape_errors.count == 1);
  CHECK(s.of_attempts.shape_errors.of == 6);
  CHECK(s.of_attempts.copied_inputs.count == 1);
  CHECK(s.of_first_attempts.copied_inputs.count == 1);
  CHECK(s.of_first_attempts.copied_inputs.of == 3);
  REQUIRE(s.views.size() == 2);
  CHECK(s.views[0].inputs[1].right_at == 1);
  CHECK(s.views[0].solved(2));
  CHECK_FALSE(s.views[0].solved(1));

  const trm::json j = to_json(s);
  CHECK(j["ARC/pass@2"] == 0.5);
  CHECK(j["ARC/pass@2 of inputs"].get<double>() == doctest::Approx(2.0 / 3));
  CHECK(j["ARC/pass@2 of inputs interval"][0].get<double>() == trm::wilson(2, 3).low);
  CHECK(j["ARC/shape_errors"].get<double>() == doctest::Approx(1.0 / 6));
  CHECK(j["ARC/malformed_grids"] == 0.0);
  CHECK(j["solutions"] == "all");
}

TEST_CASE("what is missing, unknown or malformed is named with its place and counts as wrong") {
  const score s =
      graded(R"({"a": [{"attempt_1": [[2,1],[0]], "attempt_2": [[2,10]], "best": [[2,1]], "attempt_3": null}],)"
             R"( "c": [], "z\n": 3})");
  CHECK(s.problems ==
        std::vector<std::string>{
            "s.json: task a: [0]: \"best\" is no attempt_1 to attempt_1000, ignored",
            "s.json: task a: [0].attempt_1: row 1 has 1 cells, row 0 has 2, counts as wrong",
            "s.json: task a: [0].attempt_2: row 0, column 1: expected a colour 0 to 9, found 10, counts as wrong",
            "s.json: task a: [0].attempt_3: expected rows of cells, found null, counts as wrong",
            "s.json: task a: [1]: is missing, counts as wrong",
            "s.json: task b: is missing, its 1 test inputs count as wrong",
            "s.json: task c: is none of the 2 tasks graded, ignored",
            "s.json: task z?: is none of the 2 tasks graded, ignored"});
  CHECK(s.missing_tasks == 1);
  CHECK(s.missing_inputs == 3);
  CHECK(s.unknown_tasks == 2);
  CHECK(s.malformed_attempts == 3);
  CHECK(s.attempts == 0);
  CHECK(s.of_attempts.malformed_grids.value() == 1);
  CHECK(s.passes.back().k == 3);
  CHECK(s.passes.back().per_task == 0);
  CHECK(to_json(s)["problems"].size() == 8);
}

TEST_CASE("surplus inputs, inputs without attempts and what is no list") {
  const score s = graded(R"({"a": [{}, "x", {"attempt_1": [[1]]}], "b": {"attempt_1": [[6]]}})");
  CHECK(s.problems == std::vector<std::string>{
                          "s.json: task a: [0]: has no attempt, counts as wrong",
                          "s.json: task a: [1]: expected {\"attempt_1\": grid, ...}, counts as wrong",
                          "s.json: task a: has answers to 3 test inputs, the task has 2, the others are ignored",
                          "s.json: task b: expected a list with the attempts at each test input, counts as wrong"});
  CHECK(s.surplus_inputs == 1);
  CHECK(s.missing_inputs == 3);
}

TEST_CASE("one attempt, many attempts, a list of grids, a single grid") {
  CHECK(graded(R"({"b": [{"attempt_1": [[6]]}]})").passes[0].per_task == 0.5);
  CHECK(graded(R"({"b": [[[6]]]})").passes[0].per_task == 0.5);               // the layout of solutions
  CHECK(graded(R"({"b": [[[[7]], [[6]]]]})").passes[1].per_task == 0.5);      // a list of grids
  CHECK(graded(R"({"b": [{"attempt_2": [[6]]}]})").passes[0].per_task == 0);  // the second attempt, whatever the first
  CHECK(graded(R"({"b": [{"attempt_2": [[6]]}]})").passes[1].per_task == 0.5);
  const score many = graded(R"({"b": [{"attempt_10": [[6]], "attempt_9": [[6]], "attempt_1": [[1]]}]})");
  REQUIRE(many.passes.size() == 3);  // attempt_10 is the tenth, not the second by its letters
  CHECK(many.passes[2].k == 10);
  CHECK(many.passes[2].per_task == 0.5);
  CHECK(many.passes[1].per_task == 0);
  CHECK(many.views[1].inputs[0].right_at == 8);
}

TEST_CASE("tasks without outputs are graded as far as can be") {
  std::vector<task> tasks = small_tasks();
  const std::string text = R"({"a": [{"attempt_1": [[2,1]]}, {"attempt_1": [[3,4]]}], "b": [{"attempt_1": [[1,2]]}]})";
  tasks[0].test[1].output.reset();
  tasks[1].test[0].output.reset();
  const score some = grade(text, "s", tasks);
  CHECK(some.passes[0].per_task == 1);  // one known input, solved
  CHECK(some.inputs_without_solution == 2);
  CHECK(some.of_attempts.shape_errors.of == 1);
  CHECK(some.of_attempts.copied_inputs.count == 1);
  CHECK(to_json(some)["solutions"] == "some");
  tasks[0].test[0].output.reset();
  const trm::json none = to_json(grade(text, "s", tasks));
  CHECK(none["solutions"] == "no solutions");
  CHECK(none["test_inputs_without_solution"] == 3);
  CHECK_FALSE(none.contains("ARC/pass@1"));
}

TEST_CASE("what is no submission is refused in one line") {
  CHECK_THROWS_WITH_AS(graded("[]"), doctest::Contains("s.json: expected {"), trm::error);
  CHECK_THROWS_AS(graded(""), trm::error);
  CHECK_THROWS_WITH_AS(graded(R"({"a": [], "a": []})"), "s.json:1:13: the key \"a\" occurs twice", trm::error);
}

TEST_CASE("any bytes are graded or refused") {
  const std::string base = R"({"a":[{"attempt_1":[[2,1]],"attempt_2":[[0]]},{"attempt_1":[[3,4]]}],"b":[[[6]],{}]})";
  const std::string letters = "{}[]\",:0123456789abt_ n-e.\\\n";
  std::mt19937 random(1);
  std::size_t accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = base;
    for (unsigned i = 0; i <= random() % 3; ++i) {
      text[random() % text.size()] =
          random() % 8 == 0 ? static_cast<char>(random()) : letters[random() % letters.size()];
    }
    try {
      const score s = graded(text);
      CHECK(s.inputs == 3);
      ++accepted;
    } catch (const trm::error& e) {
      CHECK(std::string(e.what()).find('\n') == std::string::npos);
    }
  }
  CHECK(accepted > 100);
}

TEST_CASE("the tasks to grade against") {
  const trm_test::temporary_folder folder;
  const auto tasks = small_tasks();
  const std::vector<task> a{tasks[0]}, b{tasks[1]};
  trm_test::put(folder / "x_one_challenges.json", to_json(tasks));
  trm_test::put(folder / "x_two_challenges.json",
                R"({"b":{"train":[{"input":[[1]],"output":[[1]]}],"test":[{"input":[[5]]}]}})");
  trm_test::put(folder / "x_two_solutions.json", R"({"b":[[[6]]]})");
  trm_test::put(folder / "s.json", R"({"b":[{"attempt_1":[[6]]}]})");
  std::string from;
  const score s = grade_file(folder / "s.json", folder.path(), "", &from);
  CHECK(from == (folder / "x_two_challenges.json").string());  // both have b, this one nothing else
  CHECK(s.passes[0].per_task == 1);
  CHECK(grade_file(folder / "s.json", folder.path(), "one").missing_tasks == 1);
  CHECK(grade_file(folder / "s.json", folder / "x_one_challenges.json").missing_tasks == 1);
  trm_test::put(folder / "none.json", "{}");
  CHECK_THROWS_WITH_AS(grade_file(folder / "none.json", folder.path()), doctest::Contains("name the subset"),
                       trm::error);
  trm_test::put(folder / "y_two_challenges.json", trm_test::get(folder / "x_two_challenges.json"));
  CHECK_THROWS_WITH_AS(grade_file(folder / "s.json", folder.path()), doctest::Contains("fit alike"), trm::error);

  trm_test::put(folder / "test_puzzles.json", to_json(b));
  CHECK(grade_file(folder / "s.json", folder.path(), "", &from).tasks == 1);
  CHECK(from == (folder / "test_puzzles.json").string());
}

TEST_CASE("the recorded submission scores what the published evaluator says, its solutions everything") {
  const auto data = trm_test::data_dir(), reference = trm_test::reference_dir();
  if (!trm_test::available(data, "arc/arc-agi_evaluation2_challenges.json")) return;
  if (!trm_test::available(reference, "arc_evaluator/submission.json")) return;
  std::string from;
  const score s = grade_file(*reference / "arc_evaluator/submission.json", *data / "arc", "", &from);
  CHECK(from == (*data / "arc/arc-agi_evaluation2_challenges.json").string());
  const trm::json metrics = trm::read_json(*reference / "arc_evaluator/metrics.json");
  REQUIRE(s.passes.size() == 2);
  for (const pass_at& pass : s.passes) {  // sums over the tasks in another order
    CHECK(pass.per_task == doctest::Approx(metrics["ARC/pass@" + std::to_string(pass.k)].get<double>()).epsilon(1e-14));
  }
  const score truth = grade_file(*data / "arc/arc-agi_evaluation2_solutions.json", *data / "arc");
  CHECK(truth.passes[0].per_input == 1);
  CHECK(truth.problems.empty());
}
