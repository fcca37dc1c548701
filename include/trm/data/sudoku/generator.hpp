// SPDX-License-Identifier: MIT
// Makes puzzles with one solution: puzzle i is a function of the options and i.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "trm/core/error.hpp"
#include "trm/core/random.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/csv.hpp"
#include "trm/data/sudoku/digit_planes.hpp"
#include "trm/data/sudoku/propagation.hpp"
#include "trm/data/sudoku/random_solution.hpp"
#include "trm/data/sudoku/solver.hpp"

namespace trm::sudoku {

/// What puzzles are asked for.
struct generator_options {
  int size = 9;            // rows of the board: 4, 6 or 9
  std::uint64_t seed = 0;  // puzzle i depends on it, on i and on the options alone
  /// Clues of a puzzle. Of minimal puzzles a bound; otherwise the number is drawn uniformly from it, and a puzzle from
  /// which so many cannot be taken has more, within the bound.
  int min_clues = 0, max_clues = max_cells;
  /// No clue can be taken away without a second solution appearing.
  bool minimal = true;
  /// The difficulty (see rating). With a minimum above 0 a random minimal puzzle is changed, clue by clue, until it is hard
  /// enough. So most ratings are a little above the minimum, and there are about as many clues as in easier puzzles.
  std::uint64_t min_rating = 0, max_rating = std::numeric_limits<std::uint64_t>::max();
  /// Which solutions may be used; empty for all. For instance one side of a split.
  std::function<bool(const board& solution)> accept_solution{};
  /// Solutions that are tried for one puzzle before it is an error.
  std::uint32_t attempts = 10000;
};

namespace detail {

/// One attempt: clues of one solution.
template <class Layout>
class puzzle_search {
 public:
  puzzle_search(const generator_options& options, const board& solution, draw_stream& random)
      : options_(options), random_(random), solution_(solution), puzzle_(solution) {}

  /// The puzzle and its rating; nothing where this solution led to none.
  std::optional<std::pair<board, std::uint64_t>> run() {
    const bool from_minimal = options_.minimal || options_.min_rating > 0;
    const int target = options_.minimal ? 0 : drawn_clues();
    if (from_minimal) {
      minimise();
      rating_ = rating(puzzle_);
      if (!climb()) return std::nullopt;
      if (!options_.minimal) add_clues(target);
    } else {
      thin_out(target);
      rating_ = rating(puzzle_);
    }
    const int count = clues(puzzle_);
    if (count < options_.min_clues || count > options_.max_clues) return std::nullopt;
    if (rating_ < options_.min_rating || rating_ > options_.max_rating) return std::nullopt;
    return std::pair(puzzle_, rating_);
  }

 private:
  using cell_order = std::array<std::uint8_t, Layout::cells>;

  int drawn_clues() {
    const int most = std::min(options_.max_clues, Layout::cells), least = std::min(options_.min_clues, most);
    return least + static_cast<int>(random_.below(static_cast<std::uint64_t>(most - least + 1)));
  }
  cell_order random_order() {
    cell_order order;
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint8_t>(i);
    random_.shuffle(order);
    return order;
  }

  /// Does the puzzle without this clue have another solution? One would have another digit there.
  bool needed(int cell) {
    const std::uint8_t digit = std::exchange(puzzle_[cell], std::uint8_t{0});
    digit_planes<Layout> c(puzzle_);
    c.exclude(cell, digit);
    const bool other = any_solution(c, [](const auto&) { return true; });
    puzzle_[cell] = digit;
    return other;
  }

  /// Takes away, in random order, every clue that can go: the puzzle is minimal.
  void minimise() {
    for (const std::uint8_t cell : random_order()) {
      if (puzzle_[cell] != 0 && !needed(cell)) puzzle_[cell] = 0;
    }
  }

  /// Takes away clues in random order down to `target`, as long as the rating stays in its range.
  void thin_out(int target) {
    int left = Layout::cells;
    for (const std::uint8_t cell : random_order()) {
      if (left <= target) break;
      const std::uint8_t digit = std::exchange(puzzle_[cell], std::uint8_t{0});
      if (within_rating()) {
        --left;
      } else {
        puzzle_[cell] = digit;
      }
    }
  }
  /// One solution, and a rating not above the limit?
  bool within_rating() const {
    if (options_.max_rating == 0) {
      digit_planes<Layout> c(puzzle_);
      return c.propagate() && c.complete();
    }
    const search_result r = sudoku::solve(puzzle_);
    return r.unique() && r.dead_ends <= options_.max_rating;
  }

  /// Exchanges clues until the rating is high enough and the puzzle minimal. False where it does not get there.
  bool climb() {
    constexpr int patience = 60;  // exchanges without a higher rating
    const digit_planes<Layout> wanted(solution_);
    bool exchanged = false;
    for (int idle = 0; idle < patience; ++idle) {
      if (rating_ >= options_.min_rating) {
        if (!exchanged) return true;
        minimise();
        rating_ = rating(puzzle_);
        exchanged = false;
        if (rating_ >= options_.min_rating) return rating_ <= options_.max_rating;
      }
      const std::uint64_t before = rating_;
      exchanged = exchange(wanted) || exchanged;
      if (rating_ > before) idle = 0;
    }
    return false;
  }

  /// Takes away a random clue and gives another one with which the puzzle has one solution again, of up to 20 such clues
  /// the one with the highest rating. Undone, with false, where there is none or the rating would leave its range or fall.
  bool exchange(const digit_planes<Layout>& wanted) {
    constexpr int most_solutions = 100, most_ratings = 20;
    int away = 0;
    do {
      away = static_cast<int>(random_.below(Layout::cells));
    } while (puzzle_[away] == 0);
    const std::uint8_t digit = std::exchange(puzzle_[away], std::uint8_t{0});
    const digit_planes<Layout> without(puzzle_);
    const auto completing = completing_cells(without, wanted, without.unsettled_but(away), most_solutions);
    std::array<std::uint8_t, Layout::cells> cells{};
    std::size_t count = 0;
    for (int cell = 0; cell < Layout::cells; ++cell) {
      if (contains<Layout>(completing, cell)) cells[count++] = static_cast<std::uint8_t>(cell);
    }
    random_.shuffle(std::span(cells).first(count));
    int best = away;
    for (std::size_t i = 0; i < count && i < most_ratings; ++i) {
      puzzle_[cells[i]] = solution_[cells[i]];
      const std::uint64_t now = rating(puzzle_);
      puzzle_[cells[i]] = 0;
      if (now > options_.max_rating || now < rating_ || (best != away && now == rating_)) continue;
      best = cells[i];
      rating_ = now;
    }
    puzzle_[best] = best == away ? digit : solution_[best];
    return best != away;
  }

  /// Adds clues in random order up to `target`, where the rating stays in its range.
  void add_clues(int target) {
    int count = clues(puzzle_);
    for (const std::uint8_t cell : random_order()) {
      if (count >= target) break;
      if (puzzle_[cell] != 0) continue;
      puzzle_[cell] = solution_[cell];
      const std::uint64_t now = rating(puzzle_);
      if (now < options_.min_rating || now > options_.max_rating) {
        puzzle_[cell] = 0;
      } else {
        rating_ = now;
        ++count;
      }
    }
  }

  const generator_options& options_;
  draw_stream& random_;
  board solution_, puzzle_;
  std::uint64_t rating_ = 0;
};

}  // namespace detail

/// A random solution loses clues in random order as long as the puzzle keeps one solution (see generator_options).
class generator {
 public:
  /// \throws trm::error where the options contradict each other
  explicit generator(generator_options options) : options_(std::move(options)) {
    const geometry g = geometry_of(options_.size);
    if (options_.min_clues < 0 || options_.min_clues > g.cells() || options_.max_clues < options_.min_clues) {
      throw error("generator", "clues from " + std::to_string(options_.min_clues) + " to " +
                                   std::to_string(options_.max_clues) + " of " + std::to_string(g.cells()) + " cells");
    }
    if (options_.min_rating > options_.max_rating) throw error("generator", "min_rating is above max_rating");
    if (options_.attempts < 1) throw error("generator", "attempts must be at least 1");
  }

  /// Puzzle `index`; its source is "trm". Requires index < 2^56. It may be called by several threads.
  /// \throws trm::error where so many attempts found none: no such puzzle is likely
  puzzle operator()(std::uint64_t index) const {
    return detail::with_layout(options_.size, [&](auto layout) { return make<decltype(layout)>(index); });
  }

  const generator_options& options() const { return options_; }  // as given

 private:
  template <class Layout>
  puzzle make(std::uint64_t index) const {
    for (std::uint32_t attempt = 0; attempt < options_.attempts; ++attempt) {
      draw_stream random(philox{options_.seed}.at(purpose::generation, index, attempt));
      const board solution = random_solution(Layout::size, random);
      if (options_.accept_solution && !options_.accept_solution(solution)) continue;
      const auto found = detail::puzzle_search<Layout>(options_, solution, random).run();
      if (!found) continue;
      return {found->first, solution, static_cast<std::int64_t>(found->second), "trm"};
    }
    throw error("generator", "no such puzzle within " + std::to_string(options_.attempts) +
                                 " attempts: widen the range of clues or of ratings");
  }

  generator_options options_;
};

}  // namespace trm::sudoku
