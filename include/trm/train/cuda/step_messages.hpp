// SPDX-License-Identifier: MIT
// What goes between host and device in every step, while the step before still runs: its numbers and examples there, its report back.
#pragma once
#include <array>
#include <cstddef>

#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/step_state.hpp"
#include "trm/train/cuda/samples.hpp"
#include "trm/train/cuda/step_results.hpp"

namespace trm::cuda {

/// Numbers and examples of the steps to come. Each has two places on the host and two on the device, for odd and even steps, so that
/// those of a step are copied while the one before reads its own.
template <class Device>
class step_orders {
 public:
  /// Of `count` samples of `tokens` tokens.
  step_orders(Device& d, int count, int tokens)
      : device_(d),
        count_(count),
        tokens_(tokens),
        examples_(d, 2 * ints() * sizeof(int)),
        states_(d, 2 * sizeof(step_state)),
        state_(d, sizeof(step_state)),
        examples_on_host_(d, examples_.size()),
        states_on_host_(d, states_.size()) {
    const step_state fresh;
    d.copy_in(state_.data(), &fresh, sizeof fresh);
  }

  /// The examples that are offered in step `step`; `b`, which has been checked, is free again.
  void send(long long step, const batch& b, int puzzle_positions) {
    const std::size_t at = place(step) * ints();
    int* host = examples_on_host_.template as<int>() + at;
    offered_arrays::fill(b, count_, tokens_, puzzle_positions, host);
    device_.copy_in_ahead(examples_.template as<int>() + at, host, ints() * sizeof(int));
    device_.join_ahead();
  }
  /// Its numbers. What the device has written to its own remains.
  void send(const step_state& numbers) {
    constexpr std::size_t size = offsetof(step_state, gradient_norm);  // the rest is the device's
    const std::size_t at = place(static_cast<long long>(numbers.step));
    step_state *host = states_on_host_.template as<step_state>() + at, *there = states_.template as<step_state>() + at;
    *host = numbers;
    device_.copy_in_ahead(there, host, size);
    device_.join_ahead();
    device_.copy(state_.data(), there, size);
  }
  /// What goes ahead from now on waits for nothing that is asked for after this.
  void go_ahead() { device_.begin_ahead(); }

  const int* examples() const { return examples_.template as<int>(); }          // both places, on the device
  step_state* state() const { return state_.template as<step_state>(); }        // of the step that runs
  static std::size_t place(long long step) { return step % 2 == 0 ? 0u : 1u; }  // that a step uses

 private:
  std::size_t ints() const { return offered_arrays::extent(count_, tokens_); }

  Device& device_;
  int count_, tokens_;
  device_memory<Device> examples_, states_, state_;
  host_memory<Device> examples_on_host_, states_on_host_;
};

/// The reports of steps, which arrive when the step has been done: of two steps at a time.
template <class Device>
class step_reports {
 public:
  /// Takes the memory.
  explicit step_reports(Device& d)
      : device_(d), report_(d, sizeof(device_report)), on_host_(d, 2 * sizeof(device_report)) {
    forget_failure();
  }
  /// Where the device writes it.
  device_report* on_device() const { return report_.template as<device_report>(); }
  /// Step `step` has been asked for: its report is to come.
  void ask(long long step) {
    const std::size_t at = step_orders<Device>::place(step);
    device_.copy_out_later(on_host_.template as<device_report>() + at, report_.data(), sizeof(device_report));
    device_.record(marks_[at]);
  }
  /// The report of a step that was asked for, when it has been done; `group` waits for it.
  template <class Group>
  const device_report& wait(long long step, Group& group) const {
    const std::size_t at = step_orders<Device>::place(step);
    group.finish(marks_[at]);
    return on_host_.template as<device_report>()[at];
  }
  /// The device goes on although a step was not finite.
  void forget_failure() {
    const device_report none;
    device_.copy_in(report_.data(), &none, sizeof none);
  }

 private:
  Device& device_;
  device_memory<Device> report_;
  host_memory<Device> on_host_;
  std::array<typename Device::mark, 2> marks_;
};

}  // namespace trm::cuda
