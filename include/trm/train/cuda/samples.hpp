// SPDX-License-Identifier: MIT
// The samples of a batch on the device: refilled there, reported from there.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/step_state.hpp"
#include "trm/core/activations.hpp"
#include "trm/train/samples.hpp"

namespace trm::cuda {

/// Where the arrays of trm::samples are in device memory; [B] and [B, S] as there.
struct sample_arrays {
  /// Tokens and labels [B, S].
  int *inputs = nullptr, *labels = nullptr;
  /// Of each sample: its row of the table, rows that count, rows of the prefix.
  int *puzzle_identifiers = nullptr, *lengths = nullptr, *prefixes = nullptr;
  int* steps = nullptr;        // [B] supervision steps done
  int* predictions = nullptr;  // [B, S]
  /// [B] Is it done; did it begin with this step?
  unsigned char *halted = nullptr, *reset = nullptr;
  trm::token_result* token_results = nullptr;  // [B]
  halting_result* halting = nullptr;           // [B]

  /// Calls f(array of the device, elements) for each, in the order in which they lie.
  template <class F>
  void each(int count, int tokens, F f) {
    const std::size_t b = static_cast<std::size_t>(count), all = b * static_cast<std::size_t>(tokens);
    f(inputs, all), f(labels, all), f(puzzle_identifiers, b), f(lengths, b), f(prefixes, b), f(steps, b);
    f(predictions, all), f(halted, b), f(reset, b), f(token_results, b), f(halting, b);
  }
};

/// Examples that are offered to the samples of a batch, as one run of ints: inputs and labels [B, S], identifiers, lengths, prefixes [B].
/// Lengths and prefixes count rows, puzzle positions included, as those of trm::samples do.
struct offered_arrays {
  /// Ints that the examples take.
  static constexpr std::size_t extent(int count, int tokens) {
    return static_cast<std::size_t>(count) * (2 * static_cast<std::size_t>(tokens) + 3);
  }
  /// Writes a batch (already checked) as trm::samples::take reads it.
  static void fill(const batch& b, int count, int tokens, int puzzle_positions, int* to) {
    const auto n = static_cast<std::size_t>(count), all = n * static_cast<std::size_t>(tokens);
    std::copy_n(b.inputs.begin(), all, to);
    if (b.labels.empty()) {
      std::fill_n(to + all, all, ignored_label);
    } else {
      std::copy_n(b.labels.begin(), all, to + all);
    }
    int *ids = to + 2 * all, *lengths = ids + n, *prefixes = lengths + n;
    for (std::size_t i = 0; i < n; ++i) {
      ids[i] = b.puzzle_identifiers.empty() ? 0 : b.puzzle_identifiers[i];
      lengths[i] = puzzle_positions + (b.lengths.empty() ? tokens : b.lengths[i]);
      prefixes[i] = puzzle_positions + (b.prefixes.empty() ? 0 : b.prefixes[i]);
    }
  }
};

namespace detail {

/// trm::samples::offer on the device: a sample that halted takes the example offered at its position. Examples are offered in two
/// places in turn, so that those of the next step are copied while this one runs; state's step says which. A block a sample.
struct offer_kernel {
  sample_arrays s;
  const int* offered;       // [2][offered_arrays::extent]
  const step_state* state;  // null: the first place
  int count, tokens;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const int i = b.index();
    const bool halted = s.halted[i] != 0;
    const std::ptrdiff_t n = count, all = n * tokens, at = std::ptrdiff_t{i} * tokens;
    const int* from =
        offered + (state == nullptr ? 0 : static_cast<std::ptrdiff_t>(state->step % 2) * (2 * all + 3 * n));
    if (halted) {
      for (int j = b.thread(); j < tokens; j += b.threads()) {
        s.inputs[at + j] = from[at + j];
        s.labels[at + j] = from[all + at + j];
      }
    }
    if (b.thread() != 0) return;
    s.reset[i] = halted ? 1 : 0;
    s.steps[i] = (halted ? 0 : s.steps[i]) + 1;
    if (!halted) return;
    const int* rest = from + 2 * all;
    s.puzzle_identifiers[i] = rest[i], s.lengths[i] = rest[n + i], s.prefixes[i] = rest[2 * n + i];
  }
};

}  // namespace detail

/// The samples of a batch in one block of device memory.
template <class Device>
class device_samples {
 public:
  /// Of `count` samples, all halted.
  device_samples(Device& d, int count, int tokens)
      : device_(d), count_(count), tokens_(tokens), memory_(d, bytes(count, tokens)), at_(arrays_at(memory_.data())) {
    d.clear(memory_.data(), memory_.size());
  }
  /// The arrays.
  const sample_arrays& arrays() const { return at_; }
  std::byte* data() const { return memory_.data(); }   // all of them
  std::size_t size() const { return memory_.size(); }  // bytes

  /// Brings all of it to the host.
  void copy_to(trm::samples& to) const {
    each_pair(to, [&](auto* device, auto& host) {
      if (!host.empty()) device_.copy_out(host.data(), device, host.size() * sizeof(host[0]));
    });
  }
  /// Takes all of it from the host.
  void copy_from(trm::samples& from) {
    each_pair(from, [&](auto* device, auto& host) {
      if (!host.empty()) device_.copy_in(device, host.data(), host.size() * sizeof(host[0]));
    });
  }
  /// The results alone: predictions, losses, halting, of the first `active`.
  void copy_results_to(trm::samples& to, int active) const {
    const auto n = static_cast<std::size_t>(active);
    const auto out = [&](auto& host, const auto* device, std::size_t k) {
      device_.copy_out(host.data(), device, k * sizeof(host[0]));
    };
    out(to.predictions, at_.predictions, n * static_cast<std::size_t>(tokens_));
    out(to.token_results, at_.token_results, n), out(to.halting, at_.halting, n);
  }
  /// Asks for the refill at the beginning of a step.
  void offer(const int* offered, const step_state* state) {
    device_.launch(detail::offer_kernel{at_, offered, state, count_, tokens_}, count_, 128, 0);
  }

 private:
  template <class F>
  void each_pair(trm::samples& s, F f) const {
    f(at_.inputs, s.inputs), f(at_.labels, s.labels), f(at_.puzzle_identifiers, s.puzzle_identifiers);
    f(at_.lengths, s.lengths), f(at_.prefixes, s.prefixes), f(at_.steps, s.steps), f(at_.predictions, s.predictions);
    f(at_.halted, s.halted), f(at_.reset, s.reset), f(at_.token_results, s.token_results), f(at_.halting, s.halting);
  }
  static std::size_t bytes(int count, int tokens) {
    std::size_t at = 0;
    sample_arrays().each(count, tokens, [&](auto* p, std::size_t n) { at += round_up(n * sizeof(*p), alignment); });
    return at;
  }
  sample_arrays arrays_at(std::byte* base) const {
    sample_arrays a;
    std::size_t at = 0;
    a.each(count_, tokens_, [&]<class T>(T*& p, std::size_t n) {
      p = reinterpret_cast<T*>(base + at);
      at += round_up(n * sizeof(T), alignment);
    });
    return a;
  }

  Device& device_;
  int count_, tokens_;
  device_memory<Device> memory_;
  sample_arrays at_;
};

}  // namespace trm::cuda
