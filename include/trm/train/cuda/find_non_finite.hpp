// SPDX-License-Identifier: MIT
// Where a step on the device went wrong, by what is left of it: coarser than trm::find_non_finite, and without computing it again.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/backend/finite_observer.hpp"
#include "trm/train/cuda/training_memory.hpp"
#include "trm/train/samples.hpp"

namespace trm::cuda {

/// Is shown copies of the device's arrays in the order in which a step reads and writes them, and keeps the first value that is not
/// finite.
template <class Model>
class finite_search {
 public:
  using master = typename Model::master;  // of weights and gradients

  /// Parameters and initial states before the step.
  void weights(const master* parameters, const master* constants) {
    for (const parameter_entry& e : Model::table)
      look_before(std::string(e.name()), parameters + e.offset, e.count, -1);
    for (const parameter_entry& e : Model::constant_table)
      look_before(std::string(e.name()), constants + e.offset, e.count, -1);
  }
  /// The rows of the samples.
  void puzzle_rows(const master* rows, int samples) {
    for (int i = 0; i < samples && Model::W > 0; ++i)
      look_before("puzzle row", rows + static_cast<std::ptrdiff_t>(i) * Model::W, Model::W, i);
  }
  /// The carry before the step, of the samples that went on.
  void states(const typename Model::carry& z, int samples, const unsigned char* reset) {
    for (int i = 0; i < samples; ++i) {
      if (reset[i] == 0)
        each_state(
            z, i, [&](auto... a) { look_before(a...); }, " before the step");
    }
  }
  /// What the step computed of its samples.
  void step(const typename Model::carry& z, const typename Model::outputs& out, const trm::samples& s) {
    for (int i = 0; i < s.count; ++i)
      each_state(
          z, i, [&](auto... a) { look(a...); }, " after the step");
    for (int i = 0; i < s.count; ++i) {
      constexpr std::size_t n = static_cast<std::size_t>(Model::S) * Model::V;
      look("logits", out.logits.data + static_cast<std::size_t>(i) * n, n, i);
    }
    for (int i = 0; i < s.count; ++i) look("halting logits", out.q.data + 2 * i, 2, i);
    for (int i = 0; i < s.count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double losses[] = {s.token_results[at].loss, s.halting[at].halt_loss, s.halting[at].continue_loss};
      look("losses (of the tokens, of halting, of going on)", losses, 3, i);
    }
  }
  /// The gradient of the whole batch.
  void gradients(const master* values) {
    for (const parameter_entry& e : Model::table)
      look("gradient of " + std::string(e.name()), values + e.offset, e.count, -1);
  }
  /// The first one, if there was any.
  const std::optional<non_finite>& found() const { return found_; }

 private:
  template <class Look>
  void each_state(const typename Model::carry& z, int i, Look f, const char* when) {
    constexpr std::size_t n = static_cast<std::size_t>(Model::L) * Model::D;
    for (std::size_t s = 0; s < Model::core::state_count; ++s)
      f(std::string("z_") + Model::schedule::states[s] + when, z.z[s].data + static_cast<std::size_t>(i) * n, n, i);
  }
  template <class T>
  void look_before(std::string place, const T* values, std::size_t n, int sample) {
    const bool had = found_.has_value();
    look(std::move(place), values, n, sample);
    if (!had && found_) found_->before_step = true;
  }
  template <class T>
  void look(std::string place, const T* values, std::size_t n, int sample) {
    if (found_) return;
    double largest = largest_;
    for (std::size_t i = 0; i < n; ++i) {
      const double v = static_cast<double>(values[i]);
      if (std::isfinite(v)) {
        largest = std::max(largest, std::abs(v));
        continue;
      }
      found_ = non_finite{.sample = sample,
                          .place = std::move(place),
                          .element = "element " + std::to_string(i),
                          .value = v,
                          .largest = largest};
      return;
    }
    largest_ = largest;
  }

  double largest_ = 0;
  std::optional<non_finite> found_;
};

/// Where the first value that is not finite is, of what a device keeps of a step that can be undone: weights, initial states, puzzle rows
/// and carry before the step; then states, logits, Q values and losses; then gradients. Nothing where there is none.
template <class Model, class Device>
std::optional<non_finite> find_non_finite(Device& d, const training_memory<Model, Device>& m) {
  using master = typename Model::master;
  const auto n = static_cast<std::size_t>(m.local);
  std::vector<std::byte> carry_before(m.carry.size());
  d.copy_out(carry_before.data(), m.before.data(), carry_before.size());
  const trm::samples& samples = m.samples.read();
  finite_search<Model> search;
  search.weights(m.parameters.template read<master>(), m.constants.template read<master>());
  search.puzzle_rows(m.rows.template read<master>(), m.local);
  search.states(bind_activations<typename Model::carry>(carry_before.data(), n), m.local, samples.reset.data());
  search.step(bind_activations<typename Model::carry>(m.read(m.carry), n),
              bind_activations<typename Model::outputs>(m.read(m.outputs), n), samples);
  search.gradients(m.gradient.template read<master>());
  std::optional<non_finite> found = search.found();
  if (found && found->sample >= 0) found->sample += m.first;
  return found;
}

}  // namespace trm::cuda
