// SPDX-License-Identifier: MIT
#include "trm/data/arc/evaluator.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "grids.hpp"
#include "recorded_build.hpp"
#include "support/allocations.hpp"
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

  submission_counts counts;
  votes.submission({}, voting::pooled, &counts);
  CHECK(counts.inputs == 3);
  CHECK(counts.inputs_without_prediction == 1);
  CHECK(counts.fillers == 3);   // both of the input without a prediction, and the empty answer
  CHECK(counts.repeated == 1);  // the second of the input with one answer
  CHECK(to_json(counts)["submission_fillers"] == 3);

  const temporary_folder folder;
  CHECK(votes.write_submission(folder / "submission.json").fillers == 3);
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

TEST_CASE("votes of the round and pooled votes are kept apart") {
  evaluator votes = small_evaluator();
  const grid asked = grid_of({"12"}), truth = grid_of({"21"}), other = grid_of({"77"}), third = grid_of({"88"});
  votes.begin_round();
  vote(votes, 1, asked, other, 0);
  vote(votes, 1, asked, other, 0);
  vote(votes, 1, asked, third, 3);
  votes.begin_round();
  vote(votes, 1, asked, third, -1);
  vote(votes, 1, asked, truth, -1);
  CHECK(votes.result(voting::pooled).passes[1].per_task == 0);  // other and third have two votes each
  CHECK(votes.result(voting::per_round).passes[0].per_task == 0);
  CHECK(votes.result(voting::per_round).passes[1].per_task == 0.25);  // third came first in this round
  CHECK(votes.answers(0, 0, 9).size() == 3);
  CHECK(votes.answers(0, 0, 1)[0].cells == third);  // the more confident of the two
  CHECK(votes.answers(0, 0, 9, voting::per_round).size() == 2);
  const evaluation pooled = votes.result(), round = votes.result(voting::per_round);
  CHECK(pooled.predictions == 5);
  CHECK(round.predictions == 2);
  CHECK(pooled.distinct_answers == 3);
  CHECK(round.distinct_answers == 2);
  CHECK(to_json(round)["voting"] == "per_round");
  CHECK(to_json(round)["rounds"] == 2);
  CHECK(votes.submission({}, voting::per_round).find("[[8,8]]") <
        votes.submission({}, voting::per_round).find("[[2,1]]"));
  votes.begin_round();
  CHECK(votes.result(voting::per_round).inputs_without_prediction == 3);
  CHECK(votes.result().inputs_without_prediction == 2);
}

TEST_CASE("a report of rates, intervals and mistakes") {
  evaluator votes = small_evaluator();
  vote(votes, 1, grid_of({"12"}), grid_of({"21"}), 0);  // right
  vote(votes, 1, grid_of({"34"}), grid_of({"34"}), 1);  // its input
  vote(votes, 1, grid_of({"34"}), grid_of({"3"}), 0);   // another shape
  vote(votes, 3, grid_of({"5"}), grid(), 0);            // no grid, hence another shape too
  std::vector<std::uint8_t> no_end = canvas(grid_of({"6"}));
  no_end[1] = 0;  // the end of the row is missing; the reading of the canvas is right all the same
  votes.add<std::uint8_t, std::uint8_t>(3, canvas(grid_of({"5"})), no_end, 0);
  vote(votes, 3, grid_of({"999"}), grid_of({"1"}), 0);  // no test input: in no share
  const trm::json report = to_json(votes.result());
  CHECK(report["ARC/shape_errors"] == 0.4);
  CHECK(report["ARC/copied_inputs"] == 0.2);
  CHECK(report["ARC/malformed_grids"] == 0.4);
  CHECK(report["ARC/shape_errors of first answers"].get<double>() == doctest::Approx(1.0 / 3));
  CHECK(report["ARC/copied_inputs of first answers"].get<double>() == doctest::Approx(1.0 / 3));
  CHECK(report["ARC/pass@1"] == 0.25);
  CHECK(report["ARC/pass@2"] == 0.75);
  CHECK(report["ARC/pass@2 of inputs"].get<double>() == doctest::Approx(2.0 / 3));
  CHECK(report["ARC/pass@2 interval"][1] == trm::wilson(1.5, 2).high);
  CHECK(report["ARC/pass@2 of inputs interval"][0] == trm::wilson(2, 3).low);
  CHECK(report["predictions"] == 6);
  CHECK(report["predictions_unmatched"] == 1);
  CHECK(report["solutions"] == "all");
}

TEST_CASE("a view of a task has its ranked answers, the truth and where that stands") {
  evaluator votes = small_evaluator();
  for (const char* answered : {"77", "43", "77", "88"}) vote(votes, 1, grid_of({"34"}), grid_of({answered}), 0);
  const task_view shown = votes.view(0, 1);
  CHECK(shown.id == "a");
  REQUIRE(shown.inputs.size() == 2);
  const input_view& in = shown.inputs[1];
  CHECK(in.input == grid_of({"34"}));
  CHECK(*in.truth == grid_of({"43"}));
  REQUIRE(in.answers.size() == 1);
  CHECK(in.answers[0].cells == grid_of({"77"}));
  CHECK(in.answers[0].confidence == 0.5);
  CHECK(in.votes == 4);
  CHECK(in.distinct == 3);
  CHECK(in.right_at == 1);  // beyond the answers that are shown
  CHECK(in.solved(2));
  CHECK_FALSE(in.solved(1));
  CHECK_FALSE(shown.solved(2));  // its other test input has no answer
  CHECK(votes.view(0, evaluator::all_answers).inputs[1].answers.size() == 3);
}

TEST_CASE("test inputs whose answer is not known have no part in pass@k, but in the submission") {
  std::vector<task> tasks = small_tasks();
  tasks[1].test[0].output.reset();
  evaluator some(tasks, small_identifiers());
  vote(some, 1, grid_of({"12"}), grid_of({"21"}), 0);
  vote(some, 3, grid_of({"5"}), grid_of({"6"}), 0);
  CHECK(some.result().passes[0].per_task == 0.5);
  CHECK(some.result().passes[0].per_input == 0.5);
  CHECK(some.result().inputs_without_solution == 1);
  CHECK(to_json(some.result())["solutions"] == "some");
  for (task& t : tasks) {
    for (example& pair : t.test) pair.output.reset();
  }
  evaluator none(tasks, small_identifiers());
  vote(none, 3, grid_of({"5"}), grid_of({"6"}), 0);
  const trm::json report = to_json(none.result());
  CHECK(none.result().passes.empty());
  CHECK(report["solutions"] == "no solutions");
  CHECK(report["test_inputs_without_solution"] == 3);
  CHECK_FALSE(report.contains("ARC/pass@1"));
  CHECK_FALSE(report.contains("ARC/shape_errors"));
  CHECK(none.submission().find("[[6]]") != std::string::npos);
}

TEST_CASE("a dataset built without solutions is known as such") {
  const temporary_folder folder;
  std::vector<task> tasks = small_tasks();
  for (task& t : tasks) {
    t.train[0].output = grid_of({"12"});
    for (example& pair : t.test) pair.output = grid(1, 1);
  }
  trm_test::put(folder / "identifiers.json", R"(["<blank>", "a", "b"])");
  trm_test::put(folder / "test_puzzles.json", to_json(tasks));
  CHECK(evaluator::open(folder.path()).result().inputs_without_solution == 3);
  CHECK(evaluator::open(folder.path()).result().passes.empty());
  tasks[1].test[0].output = grid_of({"1"});  // a real one: then the others may be real too
  trm_test::put(folder / "test_puzzles.json", to_json(tasks));
  CHECK(evaluator::open(folder.path()).result().inputs_without_solution == 0);
}

TEST_CASE("memory grows with the distinct answers and not with the predictions") {
  evaluator votes = small_evaluator();
  const std::vector<std::vector<std::uint8_t>> inputs = {canvas(grid_of({"12"})), canvas(grid_of({"34"}))};
  std::vector<std::vector<std::uint8_t>> answers;
  for (const char* cells : {"111", "222", "333", "444", "555"}) {
    answers.push_back(canvas(grid_of({cells, cells, cells})));
  }
  const auto round = [&] {
    for (const auto& input : inputs) {
      for (const auto& answered : answers) votes.add<std::uint8_t, std::uint8_t>(1, input, answered, 0);
    }
  };
  round();
  const long before = trm_test::allocations;
  for (int i = 0; i < 10000; ++i) round();
  CHECK(trm_test::allocations == before);  // a vote for a known answer allocates nothing at all
  CHECK(votes.result().predictions == 100010);
  CHECK(votes.result().distinct_answers == 10);
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
