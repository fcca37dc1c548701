// SPDX-License-Identifier: MIT
// What the context of a device does with flat buffers and puzzle rows: optimizer steps, averages, norms, for captured steps too.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/embedding.hpp"
#include "trm/backend/cuda/optimizer.hpp"
#include "trm/backend/cuda/step_state.hpp"
#include "trm/ops/optimizer.hpp"

namespace trm::cuda {

/// The part of a context that knows no model.
template <class Device>
class passes {
 public:
  /// See ops::adam_atan2.
  template <class T>
  void adam_atan2(T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    adam<detail::angle_of_moments>(p, m, v, g, n, factors_of(s), scale, nullptr);
  }
  /// See ops::adamw.
  template <class T>
  void adamw(T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) {
    adam<detail::ratio_of_moments>(p, m, v, g, n, factors_of(s), scale, nullptr);
  }
  /// See ops::ema.
  template <class T>
  void ema(T* average, const T* p, std::size_t n, double rate) {
    ema(average, p, n, rate, nullptr);
  }
  /// See ops::squared_norm. Waits for the result.
  template <class T>
  double squared_norm(const T* g, std::size_t n) {
    double* square = norm(g, n, nullptr);
    double result = 0;
    device_.copy_out(&result, square, sizeof result);
    return result;
  }
  /// sum += g
  template <class T>
  void add(T* sum, const T* g, std::size_t n) {
    blend(sum, g, n, T(1), T(1), nullptr);
  }
  /// g = 0
  template <class T>
  void clear(T* g, std::size_t n) {
    if (n > 0) device_.clear(g, n * sizeof(T));
  }

  // ---- the same for captured steps: numbers are read from, and written to, device memory ----
  /// state: gradient_norm = |g|, finite, gradient_scale = clip_norm / |g| where the norm is larger than clip_norm > 0, else 1.
  template <class T>
  void gradient_norm(const T* g, std::size_t n, step_state* state) {
    norm(g, n, state);
  }
  /// With state's factors and gradient_scale; nothing happens where state's `finite` is 0.
  template <class T>
  void adam_atan2(T* p, T* m, T* v, const T* g, std::size_t n, const step_state* state) {
    adam<detail::angle_of_moments>(p, m, v, g, n, {}, 1, state);
  }
  /// Likewise.
  template <class T>
  void adamw(T* p, T* m, T* v, const T* g, std::size_t n, const step_state* state) {
    adam<detail::ratio_of_moments>(p, m, v, g, n, {}, 1, state);
  }
  /// average = rate * average + (1 - rate) * p; nothing happens where state's `finite` is 0.
  template <class T>
  void ema(T* average, const T* p, std::size_t n, double rate, const step_state* state) {
    blend(average, p, n, static_cast<T>(rate), static_cast<T>(1 - rate), state);
  }

  // ---- puzzle rows ----
  /// out[i] = row ids[i] of table, [n, width].
  template <class M>
  void gather(const M* table, int width, const int* ids, int n, M* out) {
    if (n > 0) device_.launch(detail::gather_kernel<M>{table, ids, out, width}, n, row_threads, 0);
  }
  /// puzzle_table::sign_sgd on a table [rows, width] in device memory, with state's `puzzle` numbers; nothing where `finite` is 0.
  template <class M>
  void sign_sgd(M* table, int width, const int* ids, const M* gradients, int n, const step_state* state) {
    if (n > 0) device_.launch(detail::sign_sgd_kernel<M>{table, width, ids, gradients, n, state}, n, row_threads, 0);
  }

 protected:
  /// On this device.
  explicit passes(Device& d) : device_(d) {}

  static constexpr int row_threads = 128;  // of a block that has one row
  /// Scratch memory of an operation, overwritten by the next. What was too small is kept: captured steps may use it.
  std::byte* need(std::size_t bytes) {
    if (scratch_.empty() || bytes > scratch_.back().size()) scratch_.emplace_back(device_, bytes);
    return scratch_.back().data();
  }

  Device& device_;  // what everything runs on

 private:
  /// Blocks of a pass over n elements: as many as a large GPU keeps busy, whatever the GPU, so that sums have one order.
  static constexpr int flat_threads = 256;
  static int flat_blocks(std::size_t n) { return static_cast<int>(std::clamp<std::size_t>(n / 2048, 1, 512)); }
  template <class Direction, class T>
  void adam(T* p, T* m, T* v, const T* g, std::size_t n, adam_factors f, double scale, const step_state* state) {
    const int blocks = flat_blocks(n);
    device_.launch(detail::adam_kernel<T, Direction>{p, m, v, g, n, blocks, f, scale, state}, blocks, flat_threads, 0);
  }
  template <class T>
  void blend(T* x, const T* y, std::size_t n, T keep, T add, const step_state* state) {
    const int blocks = flat_blocks(n);
    device_.launch(detail::blend_kernel<T>{x, y, n, blocks, keep, add, state}, blocks, flat_threads, 0);
  }
  /// The squared norm, in scratch memory, or what follows from it in `state`.
  template <class T>
  double* norm(const T* g, std::size_t n, step_state* state) {
    const int blocks = flat_blocks(n);
    double* parts = reinterpret_cast<double*>(need(static_cast<std::size_t>(blocks + 1) * sizeof(double)));
    double* square = state == nullptr ? parts + blocks : nullptr;
    device_.launch(detail::squares_kernel<T>{g, n, blocks, parts}, blocks, flat_threads,
                   flat_threads / warp_size * sizeof(double));
    device_.launch(detail::norm_kernel{parts, blocks, square, state}, 1, warp_size, 0);
    return square;
  }

  std::vector<device_memory<Device>> scratch_;
};

}  // namespace trm::cuda
