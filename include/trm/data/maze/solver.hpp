// SPDX-License-Identifier: MIT
// Shortest paths in a maze by breadth-first search: one of them, their number, and whether an answer is one.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/maze/grid.hpp"

namespace trm::maze {

/// Breadth-first search over a field with a border of closed cells, so that no step looks for the edge. Places are
/// numbered (row + 1) * width() + column + 1. Memory is kept from one search to the next.
class search_field {
 public:
  /// All cells closed.
  explicit search_field(int side)
      : side_(side), width_(side + 2), distance_(at(width_ * width_), closed), queue_(at(width_ * width_ + 1), 0) {}

  int width() const { return width_; }  // of the field with its border: side + 2
  /// The place in the bordered field of a cell, and the cell, row * side + column, of a place within the border.
  int place(int row, int column) const { return (row + 1) * width_ + column + 1; }
  // Likewise.
  int place(std::size_t cell) const { return place(static_cast<int>(cell) / side_, static_cast<int>(cell) % side_); }
  // The other way.
  std::size_t cell(int place) const {
    return static_cast<std::size_t>((place / width_ - 1) * side_ + place % width_ - 1);
  }
  /// The four neighbours of a place are at these differences: above, left, right, below.
  std::array<int, 4> steps() const { return {-width_, -1, 1, width_}; }

  bool is_open(int place) const { return distance_[at(place)] != closed; }  // no wall, and not the border
  /// Forgets the last flood.
  void set_open(int place, bool open) {
    if (reached_ > 0) forget();
    distance_[at(place)] = open ? unseen : closed;
  }

  /// Distances from an open place. Afterwards reached() says how many places can be reached, in_order(i) which, nearest
  /// first.
  void flood(int from) {
    forget();
    std::int16_t* const distance = distance_.data();
    std::int16_t* const queue = queue_.data();
    const std::array<int, 4> steps_to = steps();
    std::size_t reached = 1;
    queue[0] = static_cast<std::int16_t>(from);
    distance[from] = 0;
    for (std::size_t done = 0; done < reached; ++done) {
      const int here = queue[done];
      const auto next = static_cast<std::int16_t>(distance[here] + 1);
      for (const int step : steps_to) {  // without branches: in a random field they cannot be predicted
        const int there = here + step;
        const bool fresh = distance[there] == unseen;
        distance[there] = fresh ? next : distance[there];
        queue[reached] = static_cast<std::int16_t>(there);
        reached += fresh;
      }
    }
    reached_ = reached;
  }
  /// Steps from where the last flood began; negative where it did not come.
  int distance(int place) const { return distance_[at(place)]; }
  std::size_t reached() const { return reached_; }         // places that the last flood came to
  int in_order(std::size_t i) const { return queue_[i]; }  // the i-th of them, by distance from the start
  /// The longest distance.
  int depth() const { return distance(queue_[reached_ - 1]); }

 private:
  static constexpr std::int16_t closed = -2, unseen = -1;
  static std::size_t at(int place) { return static_cast<std::size_t>(place); }
  void forget() {
    for (std::size_t i = 0; i < reached_; ++i) distance_[at(queue_[i])] = unseen;
    reached_ = 0;
  }

  int side_, width_;
  std::vector<std::int16_t> distance_, queue_;  // the queue has room for one more, which is written and not counted
  std::size_t reached_ = 0;
};

/// The answer to a maze.
struct solution {
  /// The cells of a shortest path, start first, goal last. Of several it is the one whose last step comes from the
  /// first of above, left, right, below that lies on one, and so on backwards.
  std::vector<std::size_t> cells;
  /// How many shortest paths there are; 2^64 - 1 where there are that many or more.
  std::uint64_t count = 0;
  /// Steps, one less than cells.
  int length() const { return static_cast<int>(cells.size()) - 1; }
};

namespace detail {

/// The one cell of this kind.
inline std::size_t only(const grid& g, cell kind, const char* name) {
  const auto count = std::ranges::count(g.cells(), kind);
  if (count != 1) throw error("maze", std::to_string(count) + " cells are the " + name + ", expected one");
  return static_cast<std::size_t>(std::ranges::find(g.cells(), kind) - g.cells().begin());
}

inline search_field field_of(const grid& g) {
  search_field field(g.side());
  for (std::size_t i = 0; i < g.size(); ++i) {
    field.set_open(field.place(i), g[i] != cell::wall && g[i] != cell::unknown);
  }
  return field;
}

/// Ways of the flooded field to `goal` that are as short as can be.
inline std::uint64_t count_shortest(const search_field& field, int goal) {
  std::vector<std::uint64_t> ways(static_cast<std::size_t>(field.width()) * static_cast<std::size_t>(field.width()));
  const auto ways_to = [&](int place) -> std::uint64_t& { return ways[static_cast<std::size_t>(place)]; };
  ways_to(field.in_order(0)) = 1;
  for (std::size_t i = 1; i < field.reached(); ++i) {
    const int here = field.in_order(i);
    std::uint64_t sum = 0;
    for (const int step : field.steps()) {
      if (field.distance(here + step) != field.distance(here) - 1) continue;
      if (__builtin_add_overflow(sum, ways_to(here + step), &sum)) sum = std::numeric_limits<std::uint64_t>::max();
    }
    ways_to(here) = sum;
    if (here == goal) break;
  }
  return ways_to(goal);
}

}  // namespace detail

/// A shortest path from start to goal by steps up, down, left and right over cells that are not walls; nothing where
/// there is none.
/// \throws trm::error unless the maze has one start and one goal
inline std::optional<solution> solve(const grid& g) {
  const std::size_t start = detail::only(g, cell::start, "start"), goal = detail::only(g, cell::goal, "goal");
  search_field field = detail::field_of(g);
  field.flood(field.place(start));
  int here = field.place(goal);
  if (field.distance(here) < 0) return std::nullopt;
  solution found{{goal}, detail::count_shortest(field, here)};
  while (field.distance(here) > 0) {
    for (const int step : field.steps()) {
      if (field.distance(here + step) != field.distance(here) - 1) continue;
      here += step;
      break;
    }
    found.cells.push_back(field.cell(here));
  }
  std::ranges::reverse(found.cells);
  return found;
}

/// The question with the cells of a path between start and goal marked.
inline grid mark(grid question, const solution& path) {
  for (const std::size_t i : path.cells) {
    if (question[i] == cell::free) question[i] = cell::path;
  }
  return question;
}

/// What a predicted answer is worth.
struct answer_check {
  /// Every cell that is not marked is as in the question.
  bool keeps_maze = false;
  /// The marked cells are free in the question and, with start and goal, form one line: each has two neighbours in it,
  /// start and goal have one. (A way that runs along itself is not told from its short cut: it is no line.)
  bool is_path = false;
  /// It is a path, and no other is shorter.
  bool is_shortest = false;
  /// Every cell is that of the label.
  bool is_label = false;
};

namespace detail {

inline bool is_line(const grid& question, const grid& answer, std::size_t start, std::size_t goal) {
  search_field line(question.side());
  std::size_t marked = 2;
  for (const std::size_t end : {start, goal}) line.set_open(line.place(end), true);
  for (std::size_t i = 0; i < question.size(); ++i) {
    if (answer[i] != cell::path) continue;
    if (question[i] != cell::free) return false;
    line.set_open(line.place(i), true);
    ++marked;
  }
  line.flood(line.place(start));
  if (line.reached() != marked || line.distance(line.place(goal)) < 0) return false;
  for (std::size_t i = 0; i < marked; ++i) {
    const int here = line.in_order(i);
    int neighbours = 0;
    for (const int step : line.steps()) neighbours += line.is_open(here + step);
    const bool is_end = here == line.place(start) || here == line.place(goal);
    if (neighbours != (is_end ? 1 : 2)) return false;
  }
  return true;
}

}  // namespace detail

/// Judges any grid of the question's size as an answer to it.
/// \throws trm::error where the sides differ or the question has not one start and one goal
inline answer_check check_answer(const grid& question, const grid& label, const grid& answer) {
  if (question.side() != answer.side() || question.side() != label.side()) {
    throw error("maze", "question, label and answer have sides of " + std::to_string(question.side()) + ", " +
                            std::to_string(label.side()) + " and " + std::to_string(answer.side()));
  }
  const std::size_t start = detail::only(question, cell::start, "start");
  const std::size_t goal = detail::only(question, cell::goal, "goal");
  answer_check result{.keeps_maze = true};
  int marked = 0;
  for (std::size_t i = 0; i < question.size(); ++i) {
    if (answer[i] == cell::path) {
      ++marked;
    } else if (answer[i] != question[i]) {
      result.keeps_maze = false;
    }
  }
  result.is_label = answer == label;
  result.is_path = detail::is_line(question, answer, start, goal);
  if (result.is_path) result.is_shortest = solve(question)->length() == marked + 1;
  return result;
}

}  // namespace trm::maze
