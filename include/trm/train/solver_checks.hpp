// SPDX-License-Identifier: MIT
// What a solver asks of its batch: the same for every backend.
#pragma once
#include <cstddef>
#include <string>

#include "trm/core/error.hpp"
#include "trm/optim/puzzle_table.hpp"
#include "trm/train/batch.hpp"

namespace trm {

namespace detail {

/// The batch of a solver. \throws trm::error where it is none
inline int checked_batch(int batch) {
  if (batch < 1) throw error("solver", "the batch must be at least 1, not " + std::to_string(batch));
  return batch;
}
/// The rows of the table that `b`, of so many samples, may name. \throws trm::error where a solver of Model cannot work on it; `ready`:
/// has it weights?
template <class Model>
std::size_t rows_to_name(bool ready, const batch& b, int samples, const puzzle_rows<typename Model::master>& table) {
  if (!ready) throw error("solver", "has no weights: call use() first");
  const std::size_t rows = Model::W == 0 ? 0 : table.rows();
  if (Model::W > 0 && rows == 0) throw error("solver", "the model has puzzle rows: begin() needs their table");
  if (rows > 0) table.check_width(Model::W);
  check_batch(b, samples, Model::S, Model::V, rows, false);
  return rows;
}

}  // namespace detail

}  // namespace trm
