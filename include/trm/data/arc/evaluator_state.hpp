// SPDX-License-Identifier: MIT
// All that an evaluator counted, as columns and as a file: votes that survive a resume, or that another process adds to its own.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/ballot.hpp"
#include "trm/data/arc/evaluation.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/io/safetensors.hpp"

namespace trm::arc {

/// Columns of an evaluator's votes. Answers stand test input after test input (each that is asked once, in the order of the tasks) and as
/// they first came: the bytes are the same whatever the order of a hash map.
struct evaluator_state {
  std::string questions;                       // SHA-256 of the tasks' names and test inputs
  std::int64_t rounds = 0;                     // rounds of predictions that were counted
  detail::by_voting<detail::tally> tallies{};  // what was counted of single predictions, by way of voting
  std::vector<std::int64_t> answers;           // [inputs]: how many different ones
  std::vector<std::uint8_t> cells;             // rows, columns and cells of one answer after the other
  std::vector<std::int64_t> votes;             // [A, 2]: pooled, of the round
  std::vector<std::int64_t> order_in_round;    // [A]: as they came in the round; 0 where they did not
  std::vector<double> confidence;              // [A, 2]: sums of sigmoid(q_halt_logit)

  /// Appends the answers to the next test input, in their pooled order.
  void add(const detail::ballot& b) {
    const auto in_order = b.in_order(voting::pooled);
    answers.push_back(static_cast<std::int64_t>(in_order.size()));
    for (const auto* entry : in_order) {
      cells.insert(cells.end(), entry->first.begin(), entry->first.end());
      for (const detail::standing& s : entry->second) {
        votes.push_back(static_cast<std::int64_t>(s.votes));
        confidence.push_back(s.confidence_sum);
      }
      const detail::standing& round = entry->second[detail::index(voting::per_round)];
      order_in_round.push_back(round.votes > 0 ? static_cast<std::int64_t>(round.order) : 0);
    }
  }

  class reader;
};

/// Takes the columns apart again, one ballot after the other. Whatever they hold, what comes out can have been counted.
class evaluator_state::reader {
 public:
  /// \throws trm::error that begins with `place` where the columns do not belong together
  reader(const evaluator_state& s, std::string place) : s_(s), place_(std::move(place)) {
    const std::size_t n = s.order_in_round.size();
    require(s.votes.size() == 2 * n && s.confidence.size() == 2 * n, "columns of different length");
    require(s.rounds >= 0, "a negative number of rounds");
  }

  /// \throws trm::error that says what cannot be
  void read(detail::ballot& b) {
    b.votes.clear();
    b.distinct = {};
    require(input_ < s_.answers.size(), "votes on fewer test inputs than there are");
    const std::int64_t count = s_.answers[input_++];
    require(count >= 0 && static_cast<std::size_t>(count) <= s_.order_in_round.size() - at_,
            "fewer answers than counted");
    std::set<std::size_t> places;
    for (std::int64_t i = 0; i < count; ++i, ++at_) {
      const std::string_view answered = next_answer();
      require(b.votes.find(answered) == b.votes.end(), "an answer that occurs twice");
      detail::vote& v = b.vote_for(answered);
      for (const voting how : {voting::pooled, voting::per_round}) take(b, v, how);
      const detail::standing& pooled = v[0];
      detail::standing& round = v[1];
      require(pooled.votes > 0 && pooled.votes >= round.votes, "votes of a round that are not among the pooled ones");
      const std::int64_t place = s_.order_in_round[at_];
      require(place >= 0 && (round.votes > 0 || place == 0), "an order of answers that cannot be");
      round.order = static_cast<std::size_t>(place);
      require(round.votes == 0 || places.insert(round.order).second, "two answers at one place");
    }
    require(places.empty() || *places.rbegin() < places.size(), "an order of answers that cannot be");
  }

  /// After the last.
  /// \throws trm::error where something is left, or the votes are not those that were counted
  void finish() const {
    require(input_ == s_.answers.size(), "votes on more test inputs than there are");
    require(at_ == s_.order_in_round.size() && cell_ == s_.cells.size(), "more answers than counted");
    for (std::size_t how = 0; how < sums_.size(); ++how) {
      const detail::tally& t = s_.tallies[how];
      require(t.unmatched <= t.predictions && sums_[how] == t.predictions - t.unmatched,
              "another number of votes than of predictions");
      require(t.predictions == 0 || s_.rounds > 0, "votes without a round");
      for (const share& part : {t.wrong.shape_errors, t.wrong.copied_inputs, t.wrong.malformed_grids}) {
        require(part.count <= part.of && part.of <= t.predictions, "more mistakes than predictions");
      }
    }
  }

 private:
  void require(bool fact, const char* otherwise) const {
    if (!fact) throw error(place_, std::string("damaged votes: ") + otherwise);
  }
  std::string_view next_answer() {
    const std::span<const std::uint8_t> rest = std::span(s_.cells).subspan(cell_);
    require(rest.size() >= 2, "an answer is cut off");
    const std::size_t rows = rest[0], columns = rest[1], size = rows * columns;
    require(rows <= max_side && columns <= max_side && (rows == 0) == (columns == 0), "an answer that is no grid");
    require(rest.size() - 2 >= size, "an answer is cut off");
    require(std::ranges::all_of(rest.subspan(2, size), [](int c) { return c < colour_count; }),
            "a cell without colour");
    cell_ += 2 + size;
    return {reinterpret_cast<const char*>(rest.data()), 2 + size};
  }
  void take(detail::ballot& b, detail::vote& v, voting how) {
    const std::size_t i = detail::index(how);
    const std::int64_t votes = s_.votes[2 * at_ + i];
    const double confidence = s_.confidence[2 * at_ + i];
    require(votes >= 0 && static_cast<std::size_t>(votes) <= s_.tallies[i].predictions - sums_[i],
            "another number of votes than of predictions");
    require(confidence >= 0 && confidence <= static_cast<double>(votes), "a confidence that is none");
    sums_[i] += static_cast<std::size_t>(votes);
    if (votes > 0) b.count(how, v, static_cast<std::size_t>(votes), confidence);
  }

  const evaluator_state& s_;
  std::string place_;
  std::size_t input_ = 0, at_ = 0, cell_ = 0;
  detail::by_voting<std::size_t> sums_{};
};

namespace detail {

inline constexpr const char* votes_format = "trm.arc.votes.1";

/// The numbers of a tally, in the order of the file.
template <class Tally, class Visit>
void each_number(Tally& t, Visit visit) {
  visit(t.predictions), visit(t.unmatched);
  for (auto* part : {&t.wrong.shape_errors, &t.wrong.copied_inputs, &t.wrong.malformed_grids}) {
    visit(part->count), visit(part->of);
  }
}

}  // namespace detail

/// As safetensors, atomically. The bytes are a function of the state.
inline void write_evaluator_state(const std::filesystem::path& path, const evaluator_state& s) {
  std::vector<std::int64_t> tallies;
  for (const detail::tally& t : s.tallies) {
    detail::each_number(t, [&](std::size_t n) { tallies.push_back(static_cast<std::int64_t>(n)); });
  }
  const auto answers = static_cast<std::int64_t>(s.order_in_round.size());
  safetensors_writer out;
  const auto add = [&]<class T>(const char* name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
    out.add(name, std::move(shape), std::span<const T>(values));
  };
  add("tallies", {2, static_cast<std::int64_t>(tallies.size() / 2)}, tallies);
  add("answers", {static_cast<std::int64_t>(s.answers.size())}, s.answers);
  add("cells", {static_cast<std::int64_t>(s.cells.size())}, s.cells);
  add("votes", {answers, 2}, s.votes);
  add("order_in_round", {answers}, s.order_in_round);
  add("confidence", {answers, 2}, s.confidence);
  out.metadata("format", detail::votes_format);
  out.metadata("questions", s.questions);
  out.metadata("rounds", std::to_string(s.rounds));
  out.save(path);
}

/// \throws trm::error that names the file and what is wrong with it; what the columns say is checked where they are restored
inline evaluator_state read_evaluator_state(const std::filesystem::path& path) {
  const auto file = safetensors_file::open(path);
  const auto about = [&](const char* key) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
      throw error(path.string(), std::string("no votes: the metadata have no ") + key);
    return found->second;
  };
  if (const std::string format = about("format"); format != detail::votes_format) {
    throw error(path.string(),
                "format \"" + trm::detail::printable(format, 60) + "\", this version reads " + detail::votes_format);
  }
  evaluator_state s;
  s.questions = about("questions");
  const std::string rounds = about("rounds");
  s.rounds = json_field(parse_json(rounds, path.string() + ": rounds"), path.string()).integer(0);
  const auto of_rank = [&]<class T>(const char* name, std::size_t rank, std::vector<T>& values) {
    const stored_tensor& t = file.view(name);
    if (t.shape.size() != rank || (rank == 2 && t.shape[1] != 2)) {
      throw error(file.place(name), "found shape " + shape_text(t.shape) +
                                        (rank == 2 ? ", expected [answers, 2]" : ", expected one axis"));
    }
    values = file.read<T>(name);
  };
  of_rank("answers", 1, s.answers);
  of_rank("cells", 1, s.cells);
  of_rank("votes", 2, s.votes);
  of_rank("order_in_round", 1, s.order_in_round);
  of_rank("confidence", 2, s.confidence);
  const std::vector<std::int64_t> tallies = file.read<std::int64_t>("tallies", {2, 8});
  if (std::ranges::any_of(tallies, [](std::int64_t n) { return n < 0; })) {
    throw error(file.place("tallies"), "a negative count");
  }
  auto next = tallies.begin();
  for (detail::tally& t : s.tallies)
    detail::each_number(t, [&](std::size_t& n) { n = static_cast<std::size_t>(*next++); });
  return s;
}

}  // namespace trm::arc
