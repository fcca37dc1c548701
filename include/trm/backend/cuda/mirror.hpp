// SPDX-License-Identifier: MIT
// An array on the device and, when somebody asks for it, on the host: which of the two is newer is remembered.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/device.hpp"
#include "trm/core/buffer.hpp"

namespace trm::cuda {

/// `size` bytes of device memory, zero at first, with a copy on the host that is made and brought up to date when it is asked for. The
/// copy is as of the call that asked: a pointer that is kept sees later steps only after the next call.
template <class Device>
class mirror {
 public:
  mirror() = default;
  /// Takes the device's memory; that of the host is taken when it is first asked for.
  mirror(Device& d, std::size_t size) : device_(&d), memory_(d, size) {
    if (size > 0) d.clear(memory_.data(), size);
  }
  /// The same with memory of the host that lives elsewhere, and is zero.
  mirror(Device& d, std::size_t size, void* host) : mirror(d, size) { host_ = host; }

  std::size_t size() const { return memory_.size(); }  // bytes
  /// Where the array is on the device.
  template <class T>
  T* on_device() const {
    return memory_.template as<T>();
  }
  /// The device writes, or has written, to its memory.
  void changed_on_device() { newer_ = side::device; }

  /// The host's copy, up to date. Waits for the device where that has written since.
  template <class T>
  const T* read() const {
    pull();
    return static_cast<const T*>(host_);
  }
  /// The same, to be written: from now on it counts, and send() takes it to the device.
  template <class T>
  T* write() {
    pull();
    newer_ = side::host;
    return static_cast<T*>(host_);
  }
  /// Takes what the host has written to the device. Was there anything?
  bool send() {
    if (newer_ != side::host) return false;
    if (size() > 0) device_->copy_in(memory_.data(), host_, size());
    newer_ = side::neither;
    return true;
  }
  /// Would send() do something?
  bool written() const { return newer_ == side::host; }

 private:
  enum class side { neither, host, device };
  void pull() const {
    if (size() == 0) return;
    if (host_ == nullptr) {
      own_ = buffer(size());
      host_ = own_.data();
      if (newer_ == side::neither) newer_ = side::device;
    }
    if (newer_ != side::device) return;
    device_->copy_out(host_, memory_.data(), size());
    newer_ = side::neither;
  }

  Device* device_ = nullptr;
  device_memory<Device> memory_;
  mutable buffer own_;
  mutable void* host_ = nullptr;
  mutable side newer_ = side::neither;
};

}  // namespace trm::cuda
