// SPDX-License-Identifier: MIT
// Counts heap allocations. It replaces the global operators: include it in one file of a program.
#pragma once
#include <atomic>
#include <cstdlib>
#include <new>

namespace trm_test {
inline std::atomic<long> allocations{0};
inline std::atomic<std::size_t> aligned_bytes{0};  // asked for with an alignment, as trm::buffer does
}  // namespace trm_test

// Not inlined: g++ 12 would otherwise take the pair of malloc and free for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++trm_test::allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {  // of std::stable_sort
  ++trm_test::allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  ++trm_test::allocations;
  trm_test::aligned_bytes += size;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
