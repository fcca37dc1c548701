// SPDX-License-Identifier: MIT
// The votes on one test input: its distinct answers, how often and how sure each was given, their order.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trm/data/arc/evaluation.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"

namespace trm::arc::detail {

/// Rows, columns, cells: the bytes whose SHA-256 the published evaluator compares. The bytes themselves are exact.
class packed_grid {
 public:
  explicit packed_grid(const grid& g) : size_(2 + g.size()) {
    bytes_[0] = static_cast<char>(g.rows());
    bytes_[1] = static_cast<char>(g.columns());
    std::ranges::copy(g.cells(), bytes_.begin() + 2);
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

  static grid unpack(std::string_view bytes) {
    if (bytes[0] == 0) return {};
    grid g(bytes[0], bytes[1]);
    std::copy(bytes.begin() + 2, bytes.end(), g.cells().begin());
    return g;
  }

 private:
  std::array<char, 2 + max_side * max_side> bytes_;
  std::size_t size_;
};

/// Lets a map with std::string keys be searched by any text, without an allocation.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class T>
using text_map = std::unordered_map<std::string, T, text_hash, std::equal_to<>>;

/// One for each kind of voting.
template <class T>
using by_voting = std::array<T, 2>;
constexpr std::size_t index(voting how) { return static_cast<std::size_t>(how); }

/// How an answer stands in one kind of voting; without votes it has no part in it.
struct standing {
  std::size_t order = 0;  // of first appearance among the answers to its input
  std::size_t votes = 0;
  double confidence_sum = 0;
  double confidence() const { return confidence_sum / static_cast<double>(votes); }
};
using vote = by_voting<standing>;

/// What was counted of all predictions.
struct tally {
  std::size_t predictions = 0, unmatched = 0;
  mistakes wrong;
};

struct ballot {
  using votes_by_answer = text_map<vote>;  // by packed answer
  using entry = votes_by_answer::value_type;

  example question;
  votes_by_answer votes;
  by_voting<std::size_t> distinct{};

  void count(voting how, vote& v, std::size_t votes_more, double confidence) {
    standing& s = v[index(how)];
    if (s.votes == 0) s.order = distinct[index(how)]++;
    s.votes += votes_more;
    s.confidence_sum += confidence;
  }
  vote& vote_for(std::string_view answered) {
    const auto known = votes.find(answered);
    return known != votes.end() ? known->second : votes.emplace(answered, vote{}).first->second;
  }

  /// The answers as they first came.
  std::vector<const entry*> in_order(voting how) const {
    std::vector<const entry*> order(distinct[index(how)]);
    for (const entry& e : votes) {
      if (e.second[index(how)].votes > 0) order[e.second[index(how)].order] = &e;
    }
    return order;
  }
  /// The published order: Python's sort is stable, so what is equal in votes and confidence stays as it first came.
  std::vector<const entry*> ranking(voting how) const {
    std::vector<const entry*> ranked = in_order(how);
    std::ranges::stable_sort(ranked, [how](const entry* a, const entry* b) {
      const standing &x = a->second[index(how)], &y = b->second[index(how)];
      return x.votes != y.votes ? x.votes > y.votes : x.confidence() > y.confidence();
    });
    return ranked;
  }
};

/// The first `most` of ranked answers.
inline std::vector<answer> best(std::span<const ballot::entry* const> ranked, std::size_t most, voting how) {
  std::vector<answer> first;
  for (const ballot::entry* e : ranked.first(std::min(most, ranked.size()))) {
    const standing& s = e->second[index(how)];
    first.push_back({packed_grid::unpack(e->first), s.votes, s.confidence()});
  }
  return first;
}
inline std::optional<std::size_t> place_of(const std::optional<grid>& truth,
                                           std::span<const ballot::entry* const> ranked) {
  if (!truth) return std::nullopt;
  const packed_grid wanted(*truth);
  const auto right =
      std::ranges::find(ranked, wanted.text(), [](const ballot::entry* e) { return std::string_view(e->first); });
  if (right == ranked.end()) return std::nullopt;
  return static_cast<std::size_t>(right - ranked.begin());
}

}  // namespace trm::arc::detail
