// SPDX-License-Identifier: MIT
#include "trm/data/arc/evaluator_state.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "grids.hpp"
#include "support/corruption.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/data/arc/evaluator.hpp"

using namespace trm::arc;
using trm_test::check_error;
using trm_test::grid_of;
using trm_test::temporary_folder;

namespace {

/// Two tasks on a canvas of 3; the first asks one of its inputs twice.
evaluator fresh() {
  const example shown{grid_of({"1"}), grid_of({"1"})};
  const example first{grid_of({"12"}), grid_of({"21"})}, second{grid_of({"34"}), grid_of({"43"})};
  return {{{"a", {shown}, {first, second, first}, false}, {"b", {shown}, {{grid_of({"5"}), grid_of({"6"})}}, false}},
          {"<blank>", "a", "b", "c"}};
}
std::vector<std::uint8_t> canvas(const grid& g) {
  std::vector<std::uint8_t> tokens(9);
  encode<std::uint8_t>(g, 3, 0, 0, tokens);
  return tokens;
}
void vote(evaluator& votes, std::int64_t identifier, const grid& input, const grid& answered, double logit) {
  votes.add<std::uint8_t, std::uint8_t>(identifier, canvas(input), canvas(answered), logit);
}
/// Round n of a run: answers that came before, in another order, and new ones; an empty one, one to no question.
void play(evaluator& votes, int n) {
  votes.begin_round();
  for (int i = 0; i < 7; ++i) {
    const int colour = (3 * i + n) % 10;
    grid answered(1 + colour % 3, 1 + i % 2);
    answered(0, 0) = static_cast<std::uint8_t>(colour);
    vote(votes, 1, i % 3 == 0 ? grid_of({"34"}) : grid_of({"12"}), answered, 0.37 * i - n);
  }
  vote(votes, 1, grid_of({"12"}), grid_of({"21"}), 1.5);
  vote(votes, 2, grid_of({"5"}), grid(), -0.1);
  vote(votes, 3, grid_of({"5"}), grid_of({"6"}), 0);
}
/// Whatever an evaluator says of its votes.
std::string all_of(const evaluator& votes) {
  std::string text;
  for (const voting how : {voting::pooled, voting::per_round}) {
    text += to_json(votes.result(how)).dump() + votes.submission({.attempts = 3}, how) + "\n";
    for (std::size_t t = 0; t < votes.tasks().size(); ++t) {
      for (std::size_t i = 0; i < votes.tasks()[t].test.size(); ++i) {
        for (const answer& a : votes.answers(t, i, evaluator::all_answers, how)) {
          text += trm_test::text(a.cells) + " " + std::to_string(a.votes) + " " + trm::json(a.confidence).dump() + "\n";
        }
      }
    }
  }
  return text;
}
evaluator restored(const std::filesystem::path& file) {
  evaluator votes = fresh();
  votes.restore(read_evaluator_state(file), file.string());
  return votes;
}

}  // namespace

TEST_CASE("two rounds that were saved and restored go on like two that were not") {
  const temporary_folder folder;
  evaluator uninterrupted = fresh();
  play(uninterrupted, 0);
  play(uninterrupted, 1);
  write_evaluator_state(folder / "votes", uninterrupted.state());
  evaluator resumed = restored(folder / "votes");
  CHECK(all_of(resumed) == all_of(uninterrupted));
  CHECK(resumed.result().rounds == 2);
  // Restored, the hash maps were filled in another order; the bytes do not show it.
  write_evaluator_state(folder / "again", resumed.state());
  CHECK(trm_test::get(folder / "again") == trm_test::get(folder / "votes"));
  for (const int n : {2, 3}) {
    play(uninterrupted, n);
    play(resumed, n);
    CHECK(all_of(resumed) == all_of(uninterrupted));
  }
  write_evaluator_state(folder / "votes", uninterrupted.state());
  write_evaluator_state(folder / "again", resumed.state());
  CHECK(trm_test::get(folder / "again") == trm_test::get(folder / "votes"));
}

TEST_CASE("what was counted before a restore is forgotten, and in the middle of a round nothing is lost") {
  evaluator one = fresh(), other = fresh();
  play(one, 0);
  play(other, 5);
  other.restore(one.state(), "state");
  CHECK(all_of(other) == all_of(one));
  vote(one, 1, grid_of({"12"}), grid_of({"7"}), 2);
  vote(other, 1, grid_of({"12"}), grid_of({"7"}), 2);
  CHECK(all_of(other) == all_of(one));
  other.restore(fresh().state(), "state");
  CHECK(all_of(other) == all_of(fresh()));
}

TEST_CASE("merged votes survive as well") {
  evaluator one = fresh(), other = fresh();
  play(one, 0);
  play(other, 3);
  one.merge(other);
  other.restore(one.state(), "state");
  CHECK(all_of(other) == all_of(one));
}

TEST_CASE("votes on other tasks are refused") {
  evaluator other({{"a", {}, {{grid_of({"12"}), grid_of({"21"})}}, false}}, {"<blank>", "a"});
  check_error([&] { other.restore(fresh().state(), "votes"); }, "votes: the votes are on other tasks");
}

TEST_CASE("what cannot have been counted is refused, and changes nothing") {
  evaluator votes = fresh();
  play(votes, 0);
  const std::string before = all_of(votes);
  const auto refused = [&](const std::function<void(evaluator_state&)>& damage, const char* words) {
    evaluator_state s = votes.state();
    damage(s);
    check_error([&] { votes.restore(s, "file"); }, std::string("file: damaged votes: ") + words);
    CHECK(all_of(votes) == before);
  };
  refused([](auto& s) { s.answers.pop_back(); }, "votes on fewer test inputs");
  refused([](auto& s) { s.answers.push_back(0); }, "votes on more test inputs");
  refused([](auto& s) { s.answers[0] = -1; }, "fewer answers");
  refused([](auto& s) { s.answers.back() -= 1; }, "more answers");
  refused([](auto& s) { s.cells.pop_back(); }, "an answer is cut off");
  refused([](auto& s) { s.cells[0] = 31; }, "an answer that is no grid");
  refused([](auto& s) { s.cells[0] = 0; }, "an answer that is no grid");
  refused([](auto& s) { s.cells[2] = 10; }, "a cell without colour");
  refused([](auto& s) { s.votes[0] = 0, s.confidence[0] = 0; }, "votes of a round");
  refused([](auto& s) { s.votes[0] += 1; }, "another number of votes");
  refused([](auto& s) { s.votes[0] = -1; }, "another number of votes");
  refused([](auto& s) { s.votes.pop_back(); }, "columns of different length");
  refused([](auto& s) { s.order_in_round[0] = 1; }, "two answers at one place");
  refused([](auto& s) { s.order_in_round[0] = 900; }, "an order of answers");
  refused([](auto& s) { s.confidence[0] = -1; }, "a confidence");
  refused([](auto& s) { s.confidence[0] = s.confidence[0] / 0.0 * 0.0; }, "a confidence");
  refused([](auto& s) { s.tallies[0].unmatched = 99; }, "another number of votes");
  refused([](auto& s) { s.tallies[1].wrong.copied_inputs.count = 99; }, "more mistakes");
  refused([](auto& s) { s.rounds = 0; }, "votes without a round");
}

TEST_CASE("no bytes do harm") {
  const temporary_folder folder;
  evaluator votes({{"a", {}, {{grid_of({"12"}), grid_of({"21"})}}, false}}, {"<blank>", "a"});
  vote(votes, 1, grid_of({"12"}), grid_of({"21"}), 1);
  vote(votes, 1, grid_of({"12"}), grid_of({"3"}), 0);
  write_evaluator_state(folder / "votes", votes.state());
  const auto counts = trm_test::corrupt(
      trm_test::get(folder / "votes"),
      [&](const std::string& bytes) {
        trm_test::put(folder / "damaged", bytes);
        votes.restore(read_evaluator_state(folder / "damaged"), "damaged");
        CHECK(votes.result().distinct_answers <= 3);
      },
      400);
  CHECK(counts.refused > counts.accepted);
}
