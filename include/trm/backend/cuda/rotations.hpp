// SPDX-License-Identifier: MIT
// The tables of rotary positions in device memory: the CPU's numbers.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "trm/backend/cuda/device.hpp"
#include "trm/ops/rope.hpp"

namespace trm::cuda {

/// rotation_table of every kind that has been asked for.
template <class Device>
class rotation_tables {
 public:
  /// Of this device.
  explicit rotation_tables(Device& d) : device_(d) {}

  /// The cosines, [Rows, HeadDim / 2], and behind them the sines. Copied to the device when first asked for.
  template <class Positions, int Rows, int HeadDim>
  const float* table() {
    using host = rotation_table<Positions, Rows, HeadDim>;
    const auto at =
        std::find_if(entries_.begin(), entries_.end(), [](const entry& e) { return e.host == &host::instance; });
    if (at != entries_.end()) return at->memory.template as<float>();
    constexpr std::size_t half = sizeof(float) * static_cast<std::size_t>(Rows) * host::pairs;
    device_memory<Device> memory(device_, 2 * half);
    device_.copy_in(memory.data(), host::instance.cosine.data(), half);
    device_.copy_in(memory.data() + half, host::instance.sine.data(), half);
    entries_.push_back({&host::instance, std::move(memory)});
    return entries_.back().memory.template as<float>();
  }

 private:
  struct entry {
    const void* host;
    device_memory<Device> memory;
  };
  Device& device_;
  std::vector<entry> entries_;
};

}  // namespace trm::cuda
