// SPDX-License-Identifier: MIT
// Owned, aligned memory: the only place where the library allocates for a step.
#pragma once
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#include "trm/core/activations.hpp"

namespace trm {

/// `size` bytes of zeroed host memory on an `alignment` boundary. Throws std::bad_alloc.
class buffer {
 public:
  buffer() = default;
  /// Takes and clears `size` bytes; 0 takes none.
  explicit buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_ = static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment)));
    std::memset(data_, 0, size);
  }
  /// Takes the memory over.
  buffer(buffer&& o) noexcept : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  buffer& operator=(buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~buffer() {
    if (data_ != nullptr) ::operator delete(data_, std::align_val_t(alignment));
  }

  std::byte* data() const { return data_; }   // null where the size is 0
  std::size_t size() const { return size_; }  // bytes
  /// The memory as elements of T.
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace trm
