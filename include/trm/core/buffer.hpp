// SPDX-License-Identifier: MIT
// Owned, aligned memory: the only place where the library allocates for a step.
#pragma once
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "trm/core/activations.hpp"

namespace trm {

namespace detail {

inline constexpr std::size_t large_page = std::size_t{2} << 20;

/// Asks the operating system for pages of 2 MB: a step walks through all of a model's memory, and an address that is looked up in
/// tables, in those of a virtual machine twice, takes longer than the arithmetic done with what is there. A wish, not a condition.
inline void prefer_large_pages([[maybe_unused]] void* data, [[maybe_unused]] std::size_t size) {
#if defined(__linux__)
  ::madvise(data, size, MADV_HUGEPAGE);
#endif
}

}  // namespace detail

/// `size` bytes of zeroed host memory on an `alignment` boundary; 2 MB and more on one of 2 MB. Throws std::bad_alloc.
class buffer {
 public:
  buffer() = default;
  /// Takes and clears `size` bytes; 0 takes none.
  explicit buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_ = static_cast<std::byte*>(::operator new(size, boundary(size)));
    if (size >= detail::large_page) detail::prefer_large_pages(data_, size);
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
    if (data_ != nullptr) ::operator delete(data_, boundary(size_));
  }

  std::byte* data() const { return data_; }   // null where the size is 0
  std::size_t size() const { return size_; }  // bytes
  /// The memory as elements of T.
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  static constexpr std::align_val_t boundary(std::size_t size) {
    return std::align_val_t(size >= detail::large_page ? detail::large_page : alignment);
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace trm
