// SPDX-License-Identifier: MIT
// The puzzle rows on the device, and on the host when they are asked for.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/device.hpp"
#include "trm/optim/puzzle_table.hpp"

namespace trm::cuda {

/// trm::puzzle_table in device memory, zero at first. The table on the host, of the same size, is made when it is first asked for.
template <class Device, class Master>
class device_table {
 public:
  /// As of trm::puzzle_table.
  device_table(Device& d, std::size_t rows, int width, int batch)
      : device_(d),
        rows_(width == 0 ? 0 : rows),
        width_(width),
        batch_(batch),
        memory_(d, rows_ * static_cast<std::size_t>(width) * sizeof(Master)) {
    if (memory_.size() > 0) d.clear(memory_.data(), memory_.size());
  }

  std::size_t rows() const { return rows_; }                                // puzzle identifiers
  Master* on_device() const { return memory_.template as<Master>(); }       // [rows, width]
  void changed_on_device() { newer_ = rows_ > 0 ? side::device : newer_; }  // the device has written

  /// The table, up to date.
  const puzzle_table<Master>& read() const {
    pull();
    return host_;
  }
  /// The same, to be written, also as a whole; send() takes it to the device.
  puzzle_table<Master>& write() {
    pull();
    newer_ = side::host;
    return host_;
  }
  /// The rows that the next step will find. Throws where the host has put a table of another width in their place.
  std::size_t rows_checked(int width) const {
    if (newer_ != side::host || width == 0) return rows_;
    host_.check_width(width);
    return host_.rows();
  }
  /// Takes what the host has written to the device. Has the memory been exchanged, because there are more or fewer rows?
  bool send() {
    if (newer_ != side::host) return false;
    newer_ = side::neither;
    if (width_ == 0) return false;
    const std::size_t size = host_.rows() * host_.width() * sizeof(Master);
    const bool exchanged = host_.rows() != rows_;
    if (exchanged) {
      device_.synchronize();
      memory_ = device_memory<Device>(device_, size);
      rows_ = host_.rows();
    }
    if (size > 0) device_.copy_in(memory_.data(), host_.data(), size);
    return exchanged;
  }

 private:
  enum class side { neither, host, device };
  void pull() const {
    if (!made_) {
      host_ = puzzle_table<Master>(rows_, width_, batch_);
      made_ = true;
      if (newer_ == side::neither) newer_ = side::device;
    }
    if (newer_ != side::device) return;
    if (rows_ > 0) device_.copy_out(host_.data(), memory_.data(), memory_.size());
    newer_ = side::neither;
  }

  Device& device_;
  std::size_t rows_;
  int width_, batch_;
  device_memory<Device> memory_;
  mutable puzzle_table<Master> host_;
  mutable bool made_ = false;
  mutable side newer_ = side::neither;
};

}  // namespace trm::cuda
