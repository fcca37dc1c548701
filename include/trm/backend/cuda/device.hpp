// SPDX-License-Identifier: MIT
// What the CUDA backend asks of a device: memory, copies, launches, products, captured graphs. The backend is written against this alone.
#pragma once
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "trm/core/bf16.hpp"
#include "trm/core/hd.hpp"

namespace trm::cuda {

/// Threads of a warp.
inline constexpr int warp_size = 32;
/// The most threads of a block, which leaves each of them 255 registers.
inline constexpr int most_threads = 256;
/// The most shared memory of a block, in bytes: of sm_80. (Of sm_86 and sm_89 it is 99 KiB.)
inline constexpr std::size_t most_shared = std::size_t{163} << 10;

/// The element types of products.
enum class element {
  bf16,     // trm::bf16
  float32,  // float, not rounded to TF32
  float64,  // double
};

/// The element type of T.
template <class T>
inline constexpr element element_of = std::is_same_v<T, bf16>    ? element::bf16
                                      : std::is_same_v<T, float> ? element::float32
                                                                 : element::float64;

/// A factor of a product: element (i, j) of sample b at data[b * sample + i * row + j * col]. row or col is 1.
struct factor {
  const void* data = nullptr;                   // in device memory
  std::ptrdiff_t row = 0, col = 0, sample = 0;  // in elements
};

/// out_b(i, j) = [out_b(i, j) +] sum_l a_b(i, l) b_b(l, j) for every sample b, i < m, j < n, l < k. Factors are of `type`, sums and
/// the result float32, or float64 for float64. out_b(i, j) is at out[b * out_sample + i * out_row + j].
struct product {
  element type = element::float32;             // of both factors
  int samples = 1, m = 0, n = 0, k = 0;        // extents
  factor a, b;                                 // [m, k], [k, n]
  void* out = nullptr;                         // [m, n]
  std::ptrdiff_t out_row = 0, out_sample = 0;  // in elements
  bool accumulate = false;                     // add to what is there
};

/// A kernel that does nothing: what the concept is checked with.
struct empty_kernel {
  /// Does nothing.
  template <class Block>
  TRM_HD void operator()(Block&) const {}
};

/// Likewise, of what is captured.
struct empty_work {
  /// Does nothing.
  void operator()() const {}
};

/// A device D. Everything is done in the order in which it is asked for, and is finished at the latest after synchronize(); errors of
/// earlier work may be thrown by any later call. All throw trm::error.
///
///   allocate(n), release(p)         n bytes of device memory on a boundary of 256 bytes, contents undefined; n > 0
///   allocate_host(n), release_host(p)   memory of the host that copies to and from the device need not stage
///   copy_in(to, from, n)            host to device; `from` may be reused at once
///   copy_out(to, from, n)           device to host; has arrived on return
///   copy(to, from, n), clear(to, n) within the device; clear writes zero bytes
///   synchronize()                   waits for all work
///   launch(kernel, blocks, threads, shared)   kernel(block) for every block: see block.hpp. threads is a multiple of warp_size, at
///                                   most most_threads; shared: bytes of b.shared<T>()
///   multiply(product)               deterministic: the same bits for the same operands
///   capture(f) -> D::graph          what f asks for is recorded instead of done; graph.launch() does it, any number of times. f must not
///                                   allocate, copy from or to the host, or synchronise, and has been run once before without capture
///                                   (memory, tables and algorithms are chosen then)
///   begin_ahead()                   copies ahead wait for what was asked for until now, and for nothing after it
///   copy_in_ahead(to, from, n)      host (allocate_host) to device, beside what is running; `from` must not change before join_ahead
///                                   has been passed
///   join_ahead()                    what is asked for from now on waits for the copies ahead
///   copy_out_later(to, from, n)     device to host (allocate_host) in order, without waiting: arrived when a later mark has been waited for
///   record(mark), wait(mark)        the D::mark, made by its default constructor, becomes the point after all that was asked for until
///                                   now; waiting for it
template <class D>
concept device = requires(D& d, void* p, const void* q, std::size_t n, empty_kernel k, int i, const product& m,
                          typename D::graph& g, typename D::mark& t) {
  { d.allocate(n) } -> std::same_as<void*>;
  d.release(p);
  { d.allocate_host(n) } -> std::same_as<void*>;
  d.release_host(p);
  d.copy_in(p, q, n);
  d.copy_out(p, q, n);
  d.copy(p, q, n);
  d.clear(p, n);
  d.synchronize();
  d.launch(k, i, i, n);
  d.multiply(m);
  { d.capture(empty_work{}) } -> std::same_as<typename D::graph>;
  g.launch();
  d.begin_ahead();
  d.copy_in_ahead(p, q, n);
  d.join_ahead();
  d.copy_out_later(p, q, n);
  d.record(t);
  d.wait(t);
};

namespace detail {

/// Memory of the device itself, and of the host.
struct on_device {
  template <class Device>
  static void* take(Device& d, std::size_t size) {
    return d.allocate(size);
  }
  template <class Device>
  static void give(Device& d, void* p) {
    d.release(p);
  }
};
struct on_host {
  template <class Device>
  static void* take(Device& d, std::size_t size) {
    return d.allocate_host(size);
  }
  template <class Device>
  static void give(Device& d, void* p) {
    d.release_host(p);
  }
};

}  // namespace detail

/// `size` bytes that a device knows, contents undefined; given back by the destructor. Place: where they are.
template <class Device, class Place>
class owned_memory {
 public:
  owned_memory() = default;
  /// Takes `size` bytes; 0 takes none.
  owned_memory(Device& d, std::size_t size)
      : device_(&d), data_(size == 0 ? nullptr : static_cast<std::byte*>(Place::take(d, size))), size_(size) {}
  /// Takes the memory over.
  owned_memory(owned_memory&& o) noexcept
      : device_(o.device_), data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  owned_memory& operator=(owned_memory&& o) noexcept {
    std::swap(device_, o.device_);
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~owned_memory() {
    if (data_ != nullptr) Place::give(*device_, data_);
  }

  std::byte* data() const { return data_; }   // null where the size is 0
  std::size_t size() const { return size_; }  // bytes
  /// The memory as elements of T.
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  Device* device_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Memory of a device.
template <class Device>
using device_memory = owned_memory<Device, detail::on_device>;
/// Memory of the host that a device copies from and to.
template <class Device>
using host_memory = owned_memory<Device, detail::on_host>;

}  // namespace trm::cuda
