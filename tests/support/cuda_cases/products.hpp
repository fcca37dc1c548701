// SPDX-License-Identifier: MIT
// Products on a device, and their gradients.
#pragma once
#include "support/cuda_cases/compare.hpp"
#include "trm/ops/matmul.hpp"
#include "trm/ops/rows.hpp"

namespace trm::cuda::testing {

inline constexpr int product_rows = 11, product_in = 19, product_out = 13;  // rows of a weight that need padding

/// v = x W^T with one row of everything a multiple of nothing; d: its gradient.
template <class T>
struct product_memory {
  view<T, product_rows, product_in> x, dx;
  view<T, product_rows, product_out> v, d;
  template <class F>
  constexpr void fields(F&& f) {
    f("x", x), f("dx", dx), f("v", v), f("d", d);
  }
};
template <class E>
struct product_params {
  matrix<E, product_out, product_in> w;
  tensor<E, product_out> bias;
  template <class F>
  constexpr void fields(F&& f) {
    f("w", w), f("bias", bias);
  }
};

/// The rows of all samples as one matrix, and slices of samples as one for each.
template <class T, class Device>
void check_products(Device& d) {
  const double forward = bound_of<T>(1, steps_of_sum(product_in) + 2),
               back = bound_of<T>(1, steps_of_sum(product_out) + 2);
  for (const extents& e : {extents{3, 11, {}, {}}, extents{4, 1, {}, {}}}) {
    compare<T, product_memory, product_params>(d, e, forward, [](const auto& c, auto& m, const auto& p, auto, auto) {
      ops::matmul(c, m.x, p.w, p.bias, sink::store<decltype(m.v)>{m.v});
    });
    compare<T, product_memory, product_params>(d, e, back, [](const auto& c, auto& m, const auto& p, auto, auto) {
      ops::matmul_input_gradient(c, m.d, p.w, sink::add<decltype(m.dx)>{m.dx});
    });
    compare<T, product_memory, product_params>(d, e, bound_of<float>(0, steps_of_sum(e.batch * e.rows) + 2),
                                               [](const auto& c, auto& m, const auto&, auto g, auto) {
                                                 ops::matmul_weight_gradient(c, m.d, m.x, g.w);
                                                 ops::bias_gradient(c, m.d, g.bias);
                                               });
  }
  // the last seven rows of samples of eleven, as the head sees them behind the puzzle's positions
  compare<T, product_memory, product_params>(
      d, {3, 11, {}, {}}, std::max(forward, back), [](const auto& c, auto& m, const auto& p, auto g, auto) {
        const auto tokens = c.with_rows(7);
        ops::matmul(tokens, m.x.from_row(4, 11), p.w, sink::store<decltype(m.v)>{m.v});
        ops::matmul_input_gradient(tokens, m.d, p.w, sink::store<decltype(m.dx)>{m.dx.from_row(4, 11)});
        ops::matmul_weight_gradient(tokens, m.d, m.x.from_row(4, 11), g.w);
        ops::zero(c.with_rows(2), m.dx.from_row(0, 11));
      });
}

/// The same along the tokens: rows are channels. 19 tokens, 11 channels.
template <class T>
struct mixer_memory {
  view<T, product_in, product_rows> x, dx;
  view<T, product_rows, product_out> v, d;
  template <class F>
  constexpr void fields(F&& f) {
    f("x", x), f("dx", dx), f("v", v), f("d", d);
  }
};
template <class T, class Device>
void check_flipped_products(Device& d) {
  const double bound = bound_of<T>(1, steps_of_sum(product_in * 3) + 2);
  compare<T, mixer_memory, product_params>(
      d, {3, product_in, {}, {}}, bound, [](const auto& c, auto& m, const auto& p, auto g, auto) {
        const auto across = c.with_rows(product_rows);
        ops::matmul(across, flip(m.x), p.w, sink::store<decltype(m.v)>{m.v});
        ops::matmul_input_gradient(across, m.d, p.w, flip(sink::store<decltype(m.dx)>{m.dx}));
        ops::matmul_weight_gradient(across, m.d, flip(m.x), g.w);
      });
}

}  // namespace trm::cuda::testing
