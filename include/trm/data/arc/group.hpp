// SPDX-License-Identifier: MIT
// A task with its augmentations: the group from which one puzzle is drawn at a time in training.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/distinct_augmentations.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/numpy_random.hpp"

namespace trm::arc {

/// The task itself and up to `wanted` augmentations with distinct content; black keeps its colour. Gives up after five draws for
/// each one wanted. Requires the outputs of all test inputs.
inline std::vector<augmentation> draw_augmentations(const task& t, int wanted, numpy_random& random) {
  std::vector<augmentation> group = {augmentation{}};
  if (wanted == 0) return group;
  distinct_augmentations seen(t);
  seen.insert({});
  for (std::int64_t trial = 0; trial < std::int64_t{5} * wanted; ++trial) {
    augmentation how;
    how.transform = static_cast<int>(random.randint(0, dihedral_transforms));
    std::span<std::uint8_t> not_black = std::span(how.colours).subspan(1);
    random.shuffle(not_black);
    if (seen.insert(how)) group.push_back(how);
    if (group.size() > static_cast<std::size_t>(wanted)) break;
  }
  return group;
}

/// A task with its augmentations; `held_out` where its test pairs belong to the split "test".
struct group {
  task source;  // before augmentation
  bool held_out = false;
  std::vector<augmentation> puzzles = {};      // the first is the task itself
  std::vector<std::int32_t> identifiers = {};  // of puzzles
};

/// What one split takes from a group, in the published order.
inline std::vector<const example*> examples_of(const group& g, bool test_split) {
  std::vector<const example*> all;
  const auto take = [&](const std::vector<example>& from) {
    for (const example& pair : from) all.push_back(&pair);
  };
  if (g.held_out) {
    take(test_split ? g.source.test : g.source.train);
  } else if (!test_split) {
    take(g.source.test_first ? g.source.test : g.source.train);
    take(g.source.test_first ? g.source.train : g.source.test);
  }
  return all;
}

/// Calls f(grid, position) for every grid of a task.
template <class F>
void for_each_grid(const task& t, F&& f) {
  const auto visit = [&](const std::vector<example>& examples, const std::string& name) {
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const std::string at = name + "[" + std::to_string(i) + "]";
      f(examples[i].input, at + ".input");
      if (examples[i].output) f(*examples[i].output, at + ".output");
    }
  };
  visit(t.train, "train");
  visit(t.test, "test");
}

}  // namespace trm::arc
