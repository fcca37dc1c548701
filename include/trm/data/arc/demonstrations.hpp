// SPDX-License-Identifier: MIT
// What a trained model is adapted to one task with: its demonstrations under augmentations, and the questions then asked.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/random.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/group.hpp"
#include "trm/data/arc/row.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/numpy_random.hpp"

namespace trm::arc {

/// The task itself and up to `wanted` augmentations that differ in their demonstrations. What the test pairs hold is not looked at.
inline std::vector<augmentation> draw_puzzles_of(const task& t, int wanted, std::uint32_t seed) {
  numpy_random random(seed);
  return draw_augmentations({.id = t.id, .train = t.train, .test = {}}, wanted, random);
}

/// The names of a task's puzzles, as identifiers.json has them.
inline std::vector<std::string> names_of(const task& t, std::span<const augmentation> puzzles) {
  std::vector<std::string> names;
  for (const augmentation& how : puzzles) names.push_back(how == augmentation{} ? t.id : compose_name(t.id, how));
  return names;
}

/// Training examples drawn from a task's demonstrations; identifiers are numbers of its puzzles. Test pairs are not among them.
class demonstrations {
 public:
  /// Throws where a demonstration does not fit the canvas.
  demonstrations(const task& t, std::vector<augmentation> puzzles, int side, std::uint64_t seed)
      : pairs_(t.train), puzzles_(std::move(puzzles)), side_(side), random_{seed} {
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      for (const grid* g : {&pairs_[i].input, &*pairs_[i].output}) {
        if (g->rows() <= side && g->columns() <= side) continue;
        throw error("task " + t.id, "demonstration " + std::to_string(i) + " has a grid of " +
                                        std::to_string(g->rows()) + " x " + std::to_string(g->columns()) +
                                        ", the model's canvas is " + std::to_string(side) + " x " +
                                        std::to_string(side));
      }
    }
  }

  std::size_t puzzles() const { return puzzles_.size(); }  // how many puzzles have demonstrations

  /// Fills a batch, a function of seed and step: of each sample puzzle and pair are drawn, and its place on the canvas: the upper left
  /// corner, where questions are asked, or with probability 1/2 another, as in training.
  void draw(std::uint64_t step, const batch_view& to) const {
    const auto tokens = static_cast<std::size_t>(side_ * side_);
    for (std::size_t i = 0; i < to.puzzle_identifiers.size(); ++i) {
      const std::size_t puzzle = drawn(step, i, 0, puzzles_.size());
      const example& pair = pairs_[drawn(step, i, 1, pairs_.size())];
      const augmentation& how = puzzles_[puzzle];
      const auto [rows, columns] = turned_sides(std::max(pair.input.rows(), pair.output->rows()),
                                                std::max(pair.input.columns(), pair.output->columns()), how.transform);
      const bool moved = drawn(step, i, 2, 2) == 1;
      const int top = moved ? static_cast<int>(drawn(step, i, 3, static_cast<std::size_t>(side_ - rows + 1))) : 0;
      const int left = moved ? static_cast<int>(drawn(step, i, 4, static_cast<std::size_t>(side_ - columns + 1))) : 0;
      write_canvas(pair.input, how.transform, tokens_of<std::int32_t>(how.colours), side_, top, left,
                   to.inputs.data() + i * tokens);
      write_canvas(*pair.output, how.transform, label_tokens_of(how.colours, pad_token), side_, top, left,
                   to.labels.data() + i * tokens);
      to.puzzle_identifiers[i] = static_cast<std::int32_t>(puzzle);
    }
  }

 private:
  std::size_t drawn(std::uint64_t step, std::size_t sample, std::size_t what, std::size_t below) const {
    return static_cast<std::size_t>(
        random_.at(purpose::example_choice, step, static_cast<std::uint32_t>(sample)).below(below, what));
  }

  std::vector<example> pairs_;
  std::vector<augmentation> puzzles_;
  int side_;
  philox random_;
};

}  // namespace trm::arc
