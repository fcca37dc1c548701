// SPDX-License-Identifier: MIT
// Passes over flat buffers on a device: optimizer steps, averages, norms in a fixed order, sparse SignSGD.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/step_state.hpp"

namespace trm::cuda::detail {

/// f(i) for i < n, over all threads of all `blocks`.
template <class Block, class F>
TRM_HD void each_element(const Block& b, int blocks, std::size_t n, F f) {
  const std::size_t step = static_cast<std::size_t>(blocks) * static_cast<std::size_t>(b.threads());
  std::size_t i = static_cast<std::size_t>(b.index()) * static_cast<std::size_t>(b.threads());
  for (i += static_cast<std::size_t>(b.thread()); i < n; i += step) f(i);
}

/// The direction of a step from the moment m and the root r.
struct angle_of_moments {
  template <class T>
  TRM_HD T operator()(T m, T r, double /*epsilon*/) const {
    return static_cast<T>(std::atan2(static_cast<double>(m), static_cast<double>(r)));  // rounded once, as on the CPU
  }
};
struct ratio_of_moments {
  template <class T>
  TRM_HD T operator()(T m, T r, double epsilon) const {
    return m / (r + static_cast<T>(epsilon));
  }
};

/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p = p keep - rate direction(m, root sqrt(v)); g is scaled first.
template <class T, class Direction>
struct adam_kernel {
  T *p, *m, *v;
  const T* g;
  std::size_t n;
  int blocks;
  adam_factors given;
  double given_scale;
  const step_state* state;  // has factors and scale instead, where it is there

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    adam_factors f = given;
    double factor = given_scale;
    if (state != nullptr) {
      if (state->finite == 0) return;
      f = state->adam, factor = state->gradient_scale;
    }
    const T b1 = static_cast<T>(f.beta1), b2 = static_cast<T>(f.beta2), new1 = static_cast<T>(1 - f.beta1),
            new2 = static_cast<T>(1 - f.beta2), keep = static_cast<T>(f.keep), rate = static_cast<T>(f.rate),
            root = static_cast<T>(f.root), scale = static_cast<T>(factor);
    each_element(b, blocks, n, [&](std::size_t i) {
      const T gi = g[i] * scale;
      const T mi = b1 * m[i] + new1 * gi, vi = b2 * v[i] + new2 * gi * gi;
      m[i] = mi, v[i] = vi;
      p[i] = p[i] * keep - rate * Direction{}(mi, std::sqrt(vi) * root, f.epsilon);
    });
  }
};

/// x = keep * x + add * y
template <class T>
struct blend_kernel {
  T* x;
  const T* y;
  std::size_t n;
  int blocks;
  T keep, add;
  const step_state* state;  // nothing happens where its `finite` is 0; may be null

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    if (state != nullptr && state->finite == 0) return;
    each_element(b, blocks, n, [&](std::size_t i) { x[i] = add * y[i] + keep * x[i]; });
  }
};

/// parts[block] = sum of g_i^2 over the block's elements, in float64.
template <class T>
struct squares_kernel {
  const T* g;
  std::size_t n;
  int blocks;
  double* parts;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    double sum = 0;
    each_element(b, blocks, n, [&](std::size_t i) { sum += static_cast<double>(g[i]) * static_cast<double>(g[i]); });
    sum = block_sum(b, sum, b.template shared<double>());
    if (b.thread() == 0) parts[b.index()] = sum;
  }
};

/// The parts summed in order: to `square`, or as a norm and what follows from it to `state`.
struct norm_kernel {
  const double* parts;
  int count;
  double* square;     // or null
  step_state* state;  // or null

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    if (b.thread() != 0) return;
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += parts[i];
    if (square != nullptr) *square = sum;
    if (state == nullptr) return;
    const double norm = std::sqrt(sum), most = state->clip_norm;
    state->gradient_norm = norm;
    state->gradient_scale = most > 0 && norm > most ? most / norm : 1;
    state->finite = norm - norm == 0;  // neither infinite nor NaN
  }
};

/// Sparse SignSGD: a block for each of the n gradients; the first of equal identifiers sums all of them in order and updates the row. To
/// find the others it reads the n identifiers, those of one batch, which is less than sorting them.
template <class T>
struct sign_sgd_kernel {
  T* table;
  int width;
  const int* ids;
  const T* gradients;  // [n, width]
  int n;
  const step_state* state;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    if (state->finite == 0) return;
    const int id = ids[b.index()];
    for (int i = 0; i < b.index(); ++i) {
      if (ids[i] == id) return;
    }
    const T keep = static_cast<T>(1.0 - state->puzzle.learning_rate * state->puzzle.weight_decay),
            rate = static_cast<T>(state->puzzle.learning_rate);
    T* row = table + static_cast<std::ptrdiff_t>(id) * width;
    for (int j = b.thread(); j < width; j += b.threads()) {
      T sum = 0;
      for (int i = b.index(); i < n; ++i) {
        if (ids[i] == id) sum += gradients[static_cast<std::ptrdiff_t>(i) * width + j];
      }
      row[j] = row[j] * keep - rate * static_cast<T>((sum > 0) - (sum < 0));
    }
  }
};

}  // namespace trm::cuda::detail
