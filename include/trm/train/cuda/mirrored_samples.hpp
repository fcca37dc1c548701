// SPDX-License-Identifier: MIT
// The samples of a batch on the device, with their copy on the host.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/device.hpp"
#include "trm/train/cuda/samples.hpp"
#include "trm/train/samples.hpp"

namespace trm::cuda {

/// The device's count until the host has written to its copy, and again from the next step on.
template <class Device>
class mirrored_samples {
 public:
  /// Of `count` samples, all halted.
  mirrored_samples(Device& d, int count, int tokens, int puzzle_positions)
      : device_(d, count, tokens), host_(count, tokens, puzzle_positions) {
    device_.copy_from(host_);
  }
  /// The device's.
  device_samples<Device>& on_device() { return device_; }
  const device_samples<Device>& on_device() const { return device_; }
  /// The device writes, or has written, to them.
  void changed_on_device() { newer_ = side::device; }

  /// The host's copy, up to date. Waits for the device where that has written since.
  const trm::samples& read() const {
    if (newer_ == side::device) {
      device_.copy_to(host_);
      newer_ = side::neither;
    }
    return host_;
  }
  /// The same, to be written: from now on it counts, and send() takes it to the device.
  trm::samples& write() {
    read();
    newer_ = side::host;
    return host_;
  }
  /// Takes what the host has written to the device.
  void send() {
    if (newer_ != side::host) return;
    device_.copy_from(host_);
    newer_ = side::neither;
  }

  bool padded() const { return host_.padded; }      // do lengths count?
  bool prefixed() const { return host_.prefixed; }  // do prefixes?
  /// Says whether they do. Is that new?
  bool take_kinds(bool padded, bool prefixed) {
    const bool changed = padded != host_.padded || prefixed != host_.prefixed;
    host_.padded = padded, host_.prefixed = prefixed;
    return changed;
  }

 private:
  enum class side { neither, host, device };
  device_samples<Device> device_;
  mutable trm::samples host_;
  mutable side newer_ = side::neither;
};

}  // namespace trm::cuda
