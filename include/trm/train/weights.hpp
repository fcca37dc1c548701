// SPDX-License-Identifier: MIT
// The weights of a model: parameters and constants in flat buffers, found by their published names.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "trm/core/buffer.hpp"
#include "trm/core/error.hpp"
#include "trm/core/parameters.hpp"
#include "trm/core/random.hpp"

namespace trm {

/// Fills a flat buffer as its table says: truncated normals and constants, a function of the seed alone. `first` numbers the table's first tensor.
template <class Master, std::size_t N>
void initialise(Master* values, const std::array<parameter_entry, N>& table, std::uint64_t seed,
                std::uint64_t first = 0) {
  for (std::size_t t = 0; t < N; ++t) {
    const parameter_entry& e = table[t];
    Master* v = values + e.offset;
    if (e.how.what == init::kind::constant) {
      std::fill_n(v, e.count, static_cast<Master>(e.how.value));
      continue;
    }
    const double std = e.how.value != 0 ? e.how.value : 1 / std::sqrt(static_cast<double>(e.extents[e.rank - 1]));
    const draws from = philox{seed}.at(purpose::initialisation, first + t);
    for (std::size_t i = 0; i < e.count; ++i) v[i] = static_cast<Master>(from.truncated_normal(std, i));
  }
}

/// Parameters (trained) and constants (not trained) of a model, without the puzzle table.
template <class Model>
class weights {
 public:
  using master = typename Model::master;  // of the elements

  /// Memory for both, all zero.
  weights() : parameters_(Model::extent * sizeof(master)), constants_(Model::constant_extent * sizeof(master)) {}

  /// The published initialisation: truncated normal 1/sqrt(fan in), embeddings 1/sqrt(D), initial states 1, Q head 0 and -5.
  void initialise(std::uint64_t seed) {
    trm::initialise(parameters(), Model::table, seed);
    trm::initialise(constants(), Model::constant_table, seed, Model::table.size());
  }

  /// The flat buffer of the parameters, Model::extent elements, each tensor at its offset of Model::table.
  master* parameters() { return parameters_.template as<master>(); }
  const master* parameters() const { return parameters_.template as<master>(); }
  /// The same for what is never trained, by Model::constant_table.
  master* constants() { return constants_.template as<master>(); }
  const master* constants() const { return constants_.template as<master>(); }

  /// One tensor by its published name. Throws where there is none.
  std::span<master> operator[](std::string_view name) {
    if (const parameter_entry* e = find(Model::table, name)) return {parameters() + e->offset, e->count};
    if (const parameter_entry* e = find(Model::constant_table, name)) return {constants() + e->offset, e->count};
    throw error(std::string(name), "the model has no such tensor");
  }
  /// Calls f(entry, values) for every tensor: parameters, then constants.
  template <class F>
  void each(F f) {
    for (const auto& e : Model::table) f(e, std::span<master>(parameters() + e.offset, e.count));
    for (const auto& e : Model::constant_table) f(e, std::span<master>(constants() + e.offset, e.count));
  }
  template <class F>
  void each(F f) const {
    for (const auto& e : Model::table) f(e, std::span<const master>(parameters() + e.offset, e.count));
    for (const auto& e : Model::constant_table) f(e, std::span<const master>(constants() + e.offset, e.count));
  }

  /// The parameter `name` of an array that lies as parameters() do. Throws where there is none.
  static std::span<const master> part(const master* flat, std::string_view name) {
    const parameter_entry* e = find(Model::table, name);
    if (e == nullptr) throw error(std::string(name), "the model has no such parameter");
    return {flat + e->offset, e->count};
  }
  /// The entry of `name` in a table, or null.
  template <std::size_t N>
  static const parameter_entry* find(const std::array<parameter_entry, N>& table, std::string_view name) {
    const auto at =
        std::find_if(table.begin(), table.end(), [&](const parameter_entry& e) { return e.name() == name; });
    return at == table.end() ? nullptr : &*at;
  }

 private:
  buffer parameters_, constants_;
};

}  // namespace trm
