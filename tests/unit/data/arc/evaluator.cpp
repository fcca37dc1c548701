// SPDX-License-Identifier: MIT
#include "trm/data/arc/evaluator.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "grids.hpp"
#include "recorded_build.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "trm/io/npy.hpp"

using namespace trm::arc;
using trm_test::grid_of;
using trm_test::temporary_folder;

TEST_CASE("the recorded metrics and submission of the published evaluator") {
  const auto data = trm_test::data_dir(), reference = trm_test::reference_dir();
  if (!trm_test::available(data, "arc/arc-agi_concept_challenges.json")) return;
  if (!trm_test::available(reference, "arc_evaluator/preds.npy")) return;
  const temporary_folder folder;
  build(trm_test::options_of(trm::read_json(*reference / "arc_dataset/expected.json")["arc2_aug2"], *data,
                             folder / "built"));

  const std::filesystem::path split = folder / "built/test";
  const auto inputs = trm::npy_file::open(split / "all__inputs.npy");
  const auto identifiers = trm::npy_file::open(split / "all__puzzle_identifiers.npy").read<std::int32_t>();
  const auto indices = trm::npy_file::open(split / "all__puzzle_indices.npy").read<std::int32_t>();
  const auto predictions = trm::npy_file::open(*reference / "arc_evaluator/preds.npy");
  const auto logits = trm::npy_file::open(*reference / "arc_evaluator/q_halt_logits.npy").read<float>();
  REQUIRE(predictions.rows() == inputs.rows());
  REQUIRE(static_cast<std::int64_t>(logits.size()) == inputs.rows());

  evaluator votes = evaluator::open(folder / "built");
  std::vector<std::uint8_t> input(900);
  std::vector<std::int32_t> prediction(900);
  for (std::size_t puzzle = 0; puzzle < identifiers.size(); ++puzzle) {
    for (std::int32_t row = indices[puzzle]; row < indices[puzzle + 1]; ++row) {
      inputs.read_row<std::uint8_t>(row, input);
      predictions.read_row<std::int32_t>(row, prediction);
      votes.add<std::uint8_t, std::int32_t>(identifiers[puzzle], input, prediction,
                                            static_cast<double>(logits[static_cast<std::size_t>(row)]));
    }
  }

  const trm::json metrics = trm::read_json(*reference / "arc_evaluator/metrics.json");
  const evaluation result = votes.result();
  REQUIRE(metrics.size() == result.passes.size());
  for (const pass_at& pass : result.passes) {
    CAPTURE(pass.k);
    CHECK(pass.per_task == metrics["ARC/pass@" + std::to_string(pass.k)].get<double>());
  }
  CHECK(result.predictions == 516);
  CHECK(result.unmatched == 0);
  CHECK(result.tasks == 120);
  CHECK(result.inputs == 172);

  const std::string recorded = trm_test::get(*reference / "arc_evaluator/submission.json");
  const auto ours = nlohmann::ordered_json::parse(votes.submission({.published_layout = true}));
  CHECK(ours == nlohmann::ordered_json::parse(recorded));  // the order of tasks too
  CHECK(votes.submission({.published_layout = true}) == recorded);
  CHECK(nlohmann::ordered_json::parse(votes.submission()).size() == 120);
}

namespace {

/// Two tasks on a canvas of 3: "a" with two test inputs, "b" with one.
std::vector<task> small_tasks() {
  const example demonstration{grid_of({"1"}), grid_of({"1"})};
  return {{"a", {demonstration}, {{grid_of({"12"}), grid_of({"21"})}, {grid_of({"34"}), grid_of({"43"})}}, false},
          {"b", {demonstration}, {{grid_of({"5"}), grid_of({"6"})}}, false}};
}
const augmentation turned{.transform = 1, .colours = {0, 9, 8, 7, 6, 5, 4, 3, 2, 1}};
std::vector<std::string> small_identifiers() { return {"<blank>", "a", compose_name("a", turned), "b", "a|||t9", "c"}; }
evaluator small_evaluator() { return {small_tasks(), small_identifiers()}; }

std::vector<std::uint8_t> canvas(const grid& g) {
  std::vector<std::uint8_t> tokens(9);
  encode<std::uint8_t>(g, 3, 0, 0, tokens);
  return tokens;
}
void vote(evaluator& votes, std::int64_t identifier, const grid& input, const grid& answered, double logit) {
  votes.add<std::uint8_t, std::uint8_t>(identifier, canvas(input), canvas(answered), logit);
}

}  // namespace

TEST_CASE("votes first, then confidence, then who came first") {
  evaluator votes = small_evaluator();
  const grid asked = grid_of({"12"}), first = grid_of({"0"}), sure = grid_of({"9"}), tied = grid_of({"8"});
  const grid frequent = grid_of({"21"});
  vote(votes, 1, asked, first, -1);
  vote(votes, 1, asked, tied, -1);
  vote(votes, 1, asked, frequent, -9);
  vote(votes, 1, asked, sure, 3);
  vote(votes, 1, asked, frequent, -9);
  const std::vector<answer> ranking = votes.answers(0, 0, 10);
  REQUIRE(ranking.size() == 4);
  CHECK(ranking[0].cells == frequent);
  CHECK(ranking[0].votes == 2);
  CHECK(ranking[0].confidence == doctest::Approx(1 / (1 + std::exp(9.0))));
  CHECK(ranking[1].cells == sure);
  CHECK(ranking[2].cells == first);
  CHECK(ranking[3].cells == tied);
  CHECK(votes.answers(0, 0, 1).size() == 1);
  CHECK(votes.answers(0, 1, 10).empty());
}

TEST_CASE("an augmented prediction votes for what it is without its augmentation") {
  evaluator votes = small_evaluator();
  vote(votes, 1, grid_of({"12"}), grid_of({"21"}), 0);
  vote(votes, 2, turned.apply(grid_of({"12"})), turned.apply(grid_of({"21"})), 0);
  const std::vector<answer> ranking = votes.answers(0, 0, 10);
  REQUIRE(ranking.size() == 1);
  CHECK(ranking[0].cells == grid_of({"21"}));
  CHECK(ranking[0].votes == 2);
}

TEST_CASE("pass@k over tasks and over test inputs") {
  evaluator votes = small_evaluator();
  vote(votes, 1, grid_of({"12"}), grid_of({"21"}), 0);  // right at once
  vote(votes, 1, grid_of({"34"}), grid_of({"77"}), 5);
  vote(votes, 1, grid_of({"34"}), grid_of({"43"}), 0);  // right at the second attempt
  const evaluation result = votes.result(std::vector<std::size_t>{1, 2, 5});
  REQUIRE(result.passes.size() == 3);
  CHECK(result.passes[0].per_task == 0.25);
  CHECK(result.passes[0].per_input == doctest::Approx(1.0 / 3));
  CHECK(result.passes[1].per_task == 0.5);
  CHECK(result.passes[1].per_input == doctest::Approx(2.0 / 3));
  CHECK(result.passes[2].per_task == 0.5);
  CHECK(result.inputs_without_prediction == 1);
}

TEST_CASE("the submission has both attempts of every test input; the published layout leaves some out") {
  evaluator votes = small_evaluator();
  CHECK(votes.submission() == R"({"a":[{"attempt_1":[[0]],"attempt_2":[[0]]},{"attempt_1":[[0]],"attempt_2":[[0]]}],)"
                              R"("b":[{"attempt_1":[[0]],"attempt_2":[[0]]}]})");
  CHECK(votes.submission({.published_layout = true}) == R"({"a": [], "b": []})");
  vote(votes, 1, grid_of({"34"}), grid_of({"12", "34"}), 0);
  vote(votes, 3, grid_of({"5"}), grid_of({"1"}), 1);
  vote(votes, 3, grid_of({"5"}), grid(), 0);  // the model wrote no cell
  vote(votes, 3, grid_of({"5"}), grid_of({"3"}), -1);
  CHECK(votes.submission() == R"({"a":[{"attempt_1":[[0]],"attempt_2":[[0]]},)"
                              R"({"attempt_1":[[1,2],[3,4]],"attempt_2":[[1,2],[3,4]]}],)"
                              R"("b":[{"attempt_1":[[1]],"attempt_2":[[0]]}]})");
  CHECK(votes.submission({.attempts = 3, .published_layout = true}) ==
        R"({"a": [{"attempt_1": [[1, 2], [3, 4]], "attempt_2": [[1, 2], [3, 4]], "attempt_3": [[1, 2], [3, 4]]}], )"
        R"("b": [{"attempt_1": [[1]], "attempt_2": [], "attempt_3": [[3]]}]})");

  const temporary_folder folder;
  votes.write_submission(folder / "submission.json");
  CHECK(trm_test::get(folder / "submission.json") == votes.submission());
}

TEST_CASE("what belongs to no test input is counted and passed over, padding is not even counted") {
  evaluator votes = small_evaluator();
  vote(votes, 0, grid_of({"12"}), grid_of({"21"}), 0);
  CHECK(votes.result().predictions == 0);
  vote(votes, 1, grid_of({"5"}), grid_of({"6"}), 0);  // the input of another task
  vote(votes, 5, grid_of({"5"}), grid_of({"6"}), 0);  // a task that is not held out
  CHECK(votes.result().predictions == 2);
  CHECK(votes.result().unmatched == 2);
  CHECK(votes.result().inputs_without_prediction == 3);
}

TEST_CASE("clear begins a new round, merge joins two") {
  evaluator here = small_evaluator(), there = small_evaluator();
  vote(here, 1, grid_of({"12"}), grid_of({"1"}), 2);
  vote(there, 1, grid_of({"12"}), grid_of({"2"}), 2);
  vote(there, 1, grid_of({"12"}), grid_of({"1"}), 0);
  vote(there, 3, grid_of({"12"}), grid_of({"1"}), 0);
  here.merge(there);
  const std::vector<answer> ranking = here.answers(0, 0, 10);
  REQUIRE(ranking.size() == 2);
  CHECK(ranking[0].cells == grid_of({"1"}));
  CHECK(ranking[0].votes == 2);
  CHECK(ranking[0].confidence == doctest::Approx((1 / (1 + std::exp(-2.0)) + 0.5) / 2));
  CHECK(here.result().predictions == 4);
  CHECK(here.result().unmatched == 1);
  here.clear();
  CHECK(here.answers(0, 0, 10).empty());
  CHECK(here.result().predictions == 0);
  std::vector<task> fewer = small_tasks();
  fewer.pop_back();
  CHECK_THROWS_AS(here.merge(evaluator(fewer, small_identifiers())), trm::error);
}

TEST_CASE("two test inputs alike share their votes") {
  std::vector<task> tasks = small_tasks();
  tasks[0].test[1].input = tasks[0].test[0].input;
  evaluator votes(tasks, small_identifiers());
  vote(votes, 1, grid_of({"12"}), grid_of({"43"}), 0);
  CHECK(votes.answers(0, 0, 1).size() == 1);
  CHECK(votes.answers(0, 1, 1).size() == 1);
  CHECK(votes.result().passes[0].per_task == 0.25);
}

TEST_CASE("bad rows are refused") {
  evaluator votes = small_evaluator();
  const grid g = grid_of({"12"});
  CHECK_THROWS_WITH_AS(vote(votes, 6, g, g, 0), "identifier 6: the dataset has 6 identifiers", trm::error);
  CHECK_THROWS_AS(vote(votes, -1, g, g, 0), trm::error);
  CHECK_THROWS_AS(vote(votes, 4, g, g, 0), trm::error);  // its name is no puzzle's
  CHECK_THROWS_WITH_AS(vote(votes, 1, g, g, std::numeric_limits<double>::quiet_NaN()),
                       "puzzle \"a\": the logit of q_halt is NaN", trm::error);
  const std::vector<std::uint8_t> nine(9), ten(10), four(4);
  CHECK_THROWS_AS((votes.add<std::uint8_t, std::uint8_t>(1, ten, ten, 0)), trm::error);
  CHECK_THROWS_AS((votes.add<std::uint8_t, std::uint8_t>(1, nine, four, 0)), trm::error);
  CHECK(votes.result().predictions == 0);
  CHECK_THROWS_AS(evaluator({}, {"<blank>"}), trm::error);
  std::vector<task> twice = small_tasks();
  twice[1].id = "a";
  CHECK_THROWS_WITH_AS(evaluator(twice, {"<blank>"}), "task a: occurs twice", trm::error);
}
