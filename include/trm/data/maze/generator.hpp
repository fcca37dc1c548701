// SPDX-License-Identifier: MIT
// Mazes like those of Maze-Hard, each a function of seed and number.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/random.hpp"
#include "trm/data/maze/grid.hpp"
#include "trm/data/maze/solver.hpp"

namespace trm::maze {

/// What is known of Maze-Hard (arXiv 2506.21734, section 3.1): 1000 + 1000 mazes of 30 x 30 cells by the procedure of
/// Lehnert et al. (arXiv 2402.14083), of which those were kept whose shortest path is longer than 110. That procedure:
/// the number of walls is uniform in 30 % to 50 % of the cells, their places are uniform and there is no wall around
/// the maze; start and goal are free cells drawn at random, kept where A* finds a path of at least `side` cells. Not
/// known: whether 110 counts steps or cells, whether mazes with several shortest paths were dropped (the procedure does
/// not), and which of several became the label.
struct generator_options {
  /// 5 .. 64
  int side = 30;
  /// The least number of steps of the shortest path.
  int min_path = 111;
  /// The probability that a cell is a wall is uniform in [min_walls, max_walls] for each maze.
  double min_walls = 0.3, max_walls = 0.5;
  /// Exactly one shortest path: others are walled off (some twenty cells of 900). Lehnert et al. do not do that, and
  /// none of 200 mazes of the default options without it had one shortest path only.
  bool one_shortest = true;
  std::uint64_t seed = 0;
  /// Random fields tried for one maze before giving up.
  std::uint32_t max_fields = 200'000;
};

/// A maze and its answer.
struct puzzle {
  grid question, answer;  // without a path; with a shortest one
  /// Steps from start to goal by the answer, which is a shortest path.
  int path_length = 0;
};

/// Generates mazes one at a time, each a pure function of (options, number). Use one generator in each thread.
///
/// A field of independent walls is drawn; its start is a random free cell, the goal uniform among the cells that are
/// min_path steps or more away. Fields without such a goal are rejected, where possible after two searches: no path is
/// longer than twice the depth of any search, and a search from the farthest cell found is nearly always as deep as any
/// can be. (A dozen starts are tried where that depth suffices.) The answer is a random shortest path. For
/// one_shortest, wherever a cell of the answer has a neighbour off it that is as near to the start as the one on it,
/// that neighbour becomes a wall: distances from the start only grow, those along the answer do not, so each of its
/// cells keeps one predecessor and the answer is the only shortest path.
class generator {
 public:
  /// \throws trm::error where the options make no sense
  explicit generator(const generator_options& options) : options_(checked(options)), field_(options.side) {}

  /// \throws trm::error where no maze was found within max_fields
  puzzle make(std::uint64_t number) {
    for (std::uint32_t attempt = 0; attempt < options_.max_fields; ++attempt) {
      random_ = philox{options_.seed}.at(purpose::generation, number, attempt);
      next_draw_ = first_draw;
      draw_walls();
      if (draw_ends()) return finish();
    }
    throw error("maze generator", "no maze with a path of " + std::to_string(options_.min_path) + " steps in " +
                                      std::to_string(options_.max_fields) + " fields of side " +
                                      std::to_string(options_.side) + ": take a smaller min_path");
  }

 private:
  static constexpr std::uint64_t first_draw = std::uint64_t{1} << 20;  // behind the bits of the walls
  static constexpr int starts_tried = 12;

  static const generator_options& checked(const generator_options& o) {
    const auto require = [](bool fine, const char* option, const std::string& what) {
      if (!fine) throw error(std::string("maze generator: ") + option, what);
    };
    require(o.side >= 5 && o.side <= max_side, "side", std::to_string(o.side) + ", must be 5 to 64");
    const int longest = o.side * o.side - 1;
    require(o.min_path >= 1 && o.min_path <= longest, "min_path",
            std::to_string(o.min_path) + ", must be 1 to " + std::to_string(longest) + " for a side of " +
                std::to_string(o.side));
    require(o.min_walls >= 0 && o.min_walls <= o.max_walls && o.max_walls < 1, "min_walls, max_walls",
            "must be 0 <= min_walls <= max_walls < 1");
    return o;
  }

  int below(std::size_t n) { return static_cast<int>(random_.below(n, next_draw_++)); }

  /// Sixteen bits decide on a cell, eight cells share a block.
  void draw_walls() {
    const double p = options_.min_walls + (options_.max_walls - options_.min_walls) * random_.uniform64(0);
    const auto threshold = static_cast<std::uint32_t>(p * 0x1p16);
    const auto cells = static_cast<std::size_t>(options_.side * options_.side);
    bits_.resize((cells + 7) / 8 * 8);
    for (std::size_t i = 0; i < cells; i += 8) {
      const philox_block block = random_.block(static_cast<std::uint32_t>(1 + i / 8));
      for (std::size_t j = 0; j < 8; ++j) bits_[i + j] = static_cast<std::uint16_t>(block.word[j / 2] >> (j % 2 * 16));
    }
    free_.resize(cells);
    std::size_t free_cells = 0, i = 0;
    for (int row = 0; row < options_.side; ++row) {
      for (int column = 0; column < options_.side; ++column, ++i) {
        const int place = field_.place(row, column);
        const bool open = bits_[i] >= threshold;
        field_.set_open(place, open);
        free_[free_cells] = place;
        free_cells += open;
      }
    }
    free_.resize(free_cells);
  }

  /// False where the field has no (or hardly any) path that is long enough.
  bool draw_ends() {
    if (free_.empty()) return false;
    start_ = free_[static_cast<std::size_t>(below(free_.size()))];
    field_.flood(start_);
    if (2 * field_.depth() < options_.min_path) return false;
    if (field_.depth() < options_.min_path) {
      field_.flood(field_.in_order(field_.reached() - 1));
      if (field_.depth() < options_.min_path) return false;
      for (int tried = 0; tried < starts_tried; ++tried) {
        start_ = free_[static_cast<std::size_t>(below(free_.size()))];
        field_.flood(start_);
        if (field_.depth() >= options_.min_path) break;
      }
      if (field_.depth() < options_.min_path) return false;
    }
    std::size_t too_near = field_.reached();  // places nearer than min_path
    while (too_near > 0 && field_.distance(field_.in_order(too_near - 1)) >= options_.min_path) --too_near;
    goal_ = field_.in_order(too_near + static_cast<std::size_t>(below(field_.reached() - too_near)));
    return true;
  }

  puzzle finish() {
    puzzle made{grid(options_.side, cell::wall), {}, field_.distance(goal_)};
    std::vector<int> on_path, beside;
    for (int here = goal_; here != start_;) {
      std::vector<int> nearer;
      for (const int step : field_.steps()) {
        if (field_.distance(here + step) == field_.distance(here) - 1) nearer.push_back(here + step);
      }
      here = nearer[static_cast<std::size_t>(below(nearer.size()))];
      for (const int other : nearer) {
        if (other != here) beside.push_back(other);
      }
      if (here != start_) on_path.push_back(here);
    }
    for (const int place : free_) made.question[field_.cell(place)] = cell::free;
    if (options_.one_shortest) {
      for (const int place : beside) made.question[field_.cell(place)] = cell::wall;
    }
    made.question[field_.cell(start_)] = cell::start;
    made.question[field_.cell(goal_)] = cell::goal;
    made.answer = made.question;
    for (const int place : on_path) made.answer[field_.cell(place)] = cell::path;
    return made;
  }

  generator_options options_;
  search_field field_;
  draws random_;
  std::uint64_t next_draw_ = 0;
  std::vector<std::uint16_t> bits_;
  std::vector<int> free_;
  int start_ = 0, goal_ = 0;
};

}  // namespace trm::maze
