// SPDX-License-Identifier: MIT
// Keeps test puzzles apart from training puzzles up to the symmetries of Sudoku.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/random.hpp"
#include "trm/core/sha256.hpp"
#include "trm/data/sudoku/board.hpp"
#include "trm/data/sudoku/canonical.hpp"
#include "trm/data/sudoku/random_solution.hpp"
#include "trm/data/sudoku/text.hpp"

namespace trm::sudoku {

/// A class of solved boards that are equal up to symmetry.
struct solution_class {
  std::string canonical;  // the line of its canonical form
  std::int64_t boards;    // solved boards in it
};

namespace detail {

template <class Layout>
std::vector<solution_class> find_solution_classes() {
  constexpr int n = Layout::size, height = Layout::shape.box_rows;
  // Only boards whose further bands, and the rows of each, are in the order of their first cells, as canonical forms are.
  const auto ordered = [](const board& b) {
    for (int row = height + 1; row < n; ++row) {
      if (b(row, 0) < b(row % height == 0 ? row - height : row - 1, 0)) return false;
    }
    return true;
  };
  std::map<std::string, std::int64_t> found;
  for (const auto& cells : normal_solutions<Layout>()) {
    const board solution{std::span<const std::uint8_t>(cells)};
    if (!ordered(solution)) continue;
    const canonical_form form = canonical(solution);
    found.emplace(to_line(form.cells), symmetries(n) / form.automorphisms);
  }
  std::vector<solution_class> classes;
  for (const auto& [line, boards] : found) classes.push_back({line, boards});
  return classes;
}

}  // namespace detail

/// The classes of a size, in the order of their canonical forms: 2 of 4 x 4, 49 of 6 x 6. (9 x 9 has 5472730538.)
/// Found at the first call.
/// \throws trm::error for size 9
inline const std::vector<solution_class>& solution_classes(int size) {
  if (geometry_of(size).size == 9) throw error("classes of solutions", "there are too many of 9 x 9 to list them");
  if (size == 4) {
    static const auto classes = detail::find_solution_classes<detail::layout<4>>();
    return classes;
  }
  static const auto classes = detail::find_solution_classes<detail::layout<6>>();
  return classes;
}

/// Divides the solved boards of a size in two so that no class is on both sides: whoever learned one side has seen no
/// relabelled, turned or shuffled board of the other. 9 x 9: a class is held out where a hash of its canonical form and
/// the seed is below `fraction`. 4 x 4 and 6 x 6: classes in an order drawn by the seed are held out while that brings
/// the share of the boards nearer to `fraction`; at least one class is on each side. May be asked by several threads.
class solution_split {
 public:
  /// \throws trm::error where `size` is no size or `fraction` not within (0, 1)
  solution_split(int size, std::uint64_t seed, double fraction)
      : size_(geometry_of(size).size), seed_(seed), fraction_(fraction) {
    if (!(fraction > 0 && fraction < 1)) {
      throw error("split", "the fraction held out must lie between 0 and 1, both excluded");
    }
    if (size_ < 9) choose_classes();
  }

  /// \throws trm::error where the board is not solved or of another size
  bool held_out(const board& solution) const {
    if (solution.size() != size_) {
      throw error("split", "a board of size " + std::to_string(solution.size()) + " in a split of size " +
                               std::to_string(size_));
    }
    const std::string line = to_line(canonical(solution).cells);
    return size_ < 9 ? chosen_.contains(line) : hash(line) < fraction_;
  }
  /// The share of all solved boards that is held out; of 9 x 9 what is expected, with classes of about the same size.
  double share() const { return share_; }

 private:
  /// Uniform in [0, 1) over lines.
  double hash(const std::string& line) const {
    sha256 h;
    h.update(std::to_string(seed_) + " " + line);
    const auto digest = h.finish();
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i) bits = bits << 8 | static_cast<std::uint64_t>(digest[i]);
    return static_cast<double>(bits >> 11) * 0x1p-53;
  }

  void choose_classes() {
    std::vector<solution_class> classes = solution_classes(size_);
    std::ranges::sort(classes, {}, [&](const solution_class& c) { return hash(c.canonical); });
    double all = 0, taken = 0;
    for (const solution_class& c : classes) all += static_cast<double>(c.boards);
    const double wanted = fraction_ * all;
    const auto better = [&](double now, double with) { return std::abs(with - wanted) < std::abs(now - wanted); };
    for (const solution_class& c : classes) {
      const auto boards = static_cast<double>(c.boards);
      if (chosen_.size() + 1 == classes.size() || !better(taken, taken + boards)) continue;
      chosen_.insert(c.canonical);
      taken += boards;
    }
    if (chosen_.empty()) {
      const auto least = std::ranges::min_element(classes, {}, &solution_class::boards);
      chosen_.insert(least->canonical);
      taken = static_cast<double>(least->boards);
    }
    share_ = taken / all;
  }

  int size_;
  std::uint64_t seed_;
  double fraction_, share_ = fraction_;
  std::set<std::string> chosen_;
};

}  // namespace trm::sudoku
