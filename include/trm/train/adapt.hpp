// SPDX-License-Identifier: MIT
// Test-time adaptation: rows for unseen puzzles, trained on their demonstrations, alone or with the weights.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/optim/new_row.hpp"
#include "trm/optim/puzzle_rows.hpp"
#include "trm/train/trainer.hpp"
#include "trm/train/weights.hpp"

namespace trm {

/// Gives a trainer a trained model and makes its table the rows `wanted`, from those of the trained `table`. Identifiers count from 0
/// again: rows of other puzzles are read by no step, so a trained table of gigabytes stays in its file. With
/// training_options::freeze_weights the rows alone are trained:
///
///   trm::trainer<model> t(device, {.batch = 32, .puzzle_identifiers = wanted.size(), .freeze_weights = true});
///   trm::begin_adaptation(t, trained, table, wanted);
///   for (int i = 0; i < 200; ++i) t.step(demonstrations);
///
/// Throws where the trainer has another number of rows, the table another width, or a row to be copied is not there.
template <class Model, class Optimizer, class Backend, class Communicator>
void begin_adaptation(trainer<Model, Optimizer, Backend, Communicator>& t, const weights<Model>& trained,
                      const puzzle_rows<typename Model::master>& table, std::span<const new_row> wanted) {
  static_assert(Model::W > 0, "begin_adaptation: the model has no puzzle rows (config: puzzle_width)");
  if (t.table().rows() != wanted.size()) {
    throw error("adaptation", "the trainer has " + std::to_string(t.table().rows()) + " puzzle rows, " +
                                  std::to_string(wanted.size()) + " wanted");
  }
  table.check_width(Model::W);
  const auto rows = make_rows(table, wanted);
  std::copy(rows.begin(), rows.end(), t.table().data());
  std::copy_n(trained.parameters(), Model::extent, t.weights().parameters());
  std::copy_n(trained.constants(), Model::constant_extent, t.weights().constants());
  t.weights_changed();
}

}  // namespace trm
