// SPDX-License-Identifier: MIT
// Weights of a model as safetensors, under the names of the published state dict.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/io/safetensors.hpp"
#include "trm/optim/puzzle_table.hpp"
#include "trm/train/weights.hpp"

namespace trm {

namespace detail {
inline std::vector<std::int64_t> shape_of(const parameter_entry& e) { return {e.extents, e.extents + e.rank}; }

/// Throws `FILE: tensor X: element [2, 0] is nan, ...` at the first value that is not finite.
template <class T>
void require_finite(const tensor_file& file, const std::string& name, std::span<const T> values) {
  const auto bad = std::ranges::find_if(values, [](T v) { return !std::isfinite(v); });
  if (bad == values.end()) return;
  std::vector<std::int64_t> position = file.view(name).shape;
  auto rest = static_cast<std::int64_t>(bad - values.begin());
  for (std::size_t i = position.size(); i-- > 0;) {
    const std::int64_t extent = std::exchange(position[i], rest % position[i]);
    rest /= extent;
  }
  throw error(file.place(name), "element " + shape_text(position) + " is " + (std::isnan(*bad) ? "nan" : "infinite") +
                                    ", expected finite numbers (did the training diverge?)");
}
}  // namespace detail

/// Reads every tensor of the model from `file`, each under `prefix` + its published name, in any floating-point type.
/// Throws `FILE: tensor X: ...` where one is missing, has another shape, or holds a value that is not finite; w is then partly read.
template <class Model>
void read_weights(const tensor_file& file, weights<Model>& w, const std::string& prefix = "") {
  using master = typename Model::master;
  w.each([&](const parameter_entry& e, std::span<master> values) {
    const std::string name = prefix + std::string(e.name());
    file.read<master>(name, detail::shape_of(e), values);
    detail::require_finite<master>(file, name, values);
  });
}

/// The puzzle table of `file`; its number of rows is whatever is there.
template <class Model>
puzzle_table<typename Model::master> read_puzzle_table(const tensor_file& file, int batch,
                                                       const std::string& prefix = "") {
  using master = typename Model::master;
  const std::string name = prefix + Model::puzzle_table_name;
  const stored_tensor& t = file.view(name);
  if (t.shape.size() != 2 || t.shape[1] != Model::W) {
    throw error(file.place(name), "expected shape [rows, " + std::to_string(Model::W) + "], found " + shape_text(t.shape));
  }
  puzzle_table<master> table(static_cast<std::size_t>(t.shape[0]), Model::W, batch);
  const std::span<master> values(table.data(), table.rows() * table.width());
  file.read<master>(name, t.shape, values);
  detail::require_finite<master>(file, name, values);
  return table;
}

/// Writes the puzzle table as a file of its own; atomically.
template <class Model>
void write_puzzle_table(const std::filesystem::path& path, const puzzle_table<typename Model::master>& table) {
  using master = typename Model::master;
  safetensors_writer out;
  out.add(Model::puzzle_table_name,
          {static_cast<std::int64_t>(table.rows()), static_cast<std::int64_t>(table.width())},
          std::span<const master>(table.data(), table.rows() * table.width()));
  out.save(path);
}

/// Writes weights (float32) and, where the model has one, the puzzle table, with `metadata`; atomically. `parameters` may be a trainer's EMA
/// in place of the weights' own.
template <class Model>
void write_weights(const std::filesystem::path& path, const weights<Model>& w, const typename Model::master* parameters,
                   const puzzle_table<typename Model::master>& table,
                   const std::map<std::string, std::string>& metadata = {}) {
  using master = typename Model::master;
  safetensors_writer out;
  const auto add = [&](const parameter_entry& e, const master* from) {
    out.add(std::string(e.name()), detail::shape_of(e), std::span<const master>(from + e.offset, e.count));
  };
  for (const parameter_entry& e : Model::table) add(e, parameters);
  for (const parameter_entry& e : Model::constant_table) add(e, w.constants());
  if (table.rows() > 0) {
    out.add(Model::puzzle_table_name,
            {static_cast<std::int64_t>(table.rows()), static_cast<std::int64_t>(table.width())},
            std::span<const master>(table.data(), table.rows() * table.width()));
  }
  for (const auto& [key, value] : metadata) out.metadata(key, value);
  out.save(path);
}

}  // namespace trm
