// SPDX-License-Identifier: MIT
// Attention on a device and its gradient, under every mask.
#pragma once
#include "support/cuda_cases/compare.hpp"
#include "trm/ops/attention.hpp"
#include "trm/ops/rope.hpp"

namespace trm::cuda::testing {

/// Two heads of `Width` channels, up to 71 rows: three tiles, the last one not full.
template <int Width>
struct attention_case {
  static constexpr int heads = 2, rows = 71, width = heads * Width;
  template <class T>
  struct memory {
    view<T, rows, 3 * width> qkv;
    view<T, rows, width> o;
    view<accumulator<T>, rows, heads> lse;
    template <class F>
    constexpr void fields(F&& f) {
      f("qkv", qkv), f("o", o), f("lse", lse);
    }
  };
  template <class T>
  struct gradient_memory {
    view<T, rows, 3 * width> qkv, dqkv;
    view<T, rows, width> o, d_o;
    view<accumulator<T>, rows, heads> lse;
    template <class F>
    constexpr void fields(F&& f) {
      f("qkv", qkv), f("dqkv", dqkv), f("o", o), f("d_o", d_o), f("lse", lse);
    }
  };
};

/// Scores are sums of Width products of order one, times 1/sqrt(Width): an error of a score is a relative error of its weight. Results
/// sum `rows` of these; d_o . v - delta cancels, which costs another factor of its two terms.
template <class T>
double attention_bound(int width, int rows) {
  return bound_of<T>(1, 2 * (steps_of_sum(width) + rows + 8));
}

template <class T, class Mask, int Width, class Device>
void check_attention(Device& d, const extents& e) {
  using a = attention_case<Width>;
  compare<T, a::template memory>(d, e, attention_bound<T>(Width, e.rows), [](const auto& c, auto& m, auto&&...) {
    ops::attention<a::heads, Mask>(c, m.qkv, m.o, m.lse);
  });
  compare<T, a::template memory>(d, e, attention_bound<T>(Width, e.rows), [](const auto& c, auto& m, auto&&...) {
    ops::attention<a::heads, Mask>(c, m.qkv, m.o, absent{});
  });
  // The gradient reads o as it was rounded, in float64 it is exact: two more roundings, of o and of what delta is taken from.
  compare<T, a::template gradient_memory>(
      d, e, bound_of<T>(4, 4 * (steps_of_sum(Width) + steps_of_sum(e.rows))), [](const auto& c, auto& m, auto&&...) {
        ops::attention<a::heads, Mask>(c, m.qkv, m.o, m.lse);
        ops::attention_gradient<a::heads, Mask, rope<>>(c, m.qkv, m.o, m.lse, m.d_o, m.dqkv);
      });
}

/// Bidirectional, causal and prefix masks, with and without padding; a head width that four threads do not share evenly.
template <class T, class Device>
void check_attention(Device& d) {
  check_attention<T, bidirectional, 16>(d, {2, 71, {}, {}});
  check_attention<T, bidirectional, 16>(d, {3, 40, {40, 33, 1}, {}});
  check_attention<T, causal, 6>(d, {2, 65, {65, 20}, {}});
  check_attention<T, prefix_causal, 16>(d, {2, 71, {71, 50}, {40, 0}});
}

/// What a row does not see has no part in it: NaN among the keys of padding, and in rows that follow, changes no bit.
template <class Device>
void check_unseen_keys(Device& device) {
  using a = attention_case<16>;
  constexpr int rows = 40, seen = 37, values = rows * 3 * a::width;
  context<Device> backend(device);
  std::vector<float> qkv(values);
  const draws from = philox{3}.at(purpose::user);
  for (std::size_t i = 0; i < qkv.size(); ++i) qkv[i] = static_cast<float>(from.normal(i));
  const int length = seen;
  device_memory<Device> x(device, sizeof(float) * values), o(device, sizeof(float) * rows * a::width),
      n(device, sizeof length);
  device.copy_in(n.data(), &length, sizeof length);
  const auto run = [&] {
    device.copy_in(x.data(), qkv.data(), x.size());
    const call<context<Device>> c{backend, 1, rows, n.template as<int>(), nullptr};
    ops::attention<a::heads, causal>(c, view<float, a::rows, 3 * a::width>{x.template as<float>()},
                                     view<float, a::rows, a::width>{o.template as<float>()}, absent{});
    std::vector<float> result(rows * a::width);
    device.copy_out(result.data(), o.data(), o.size());
    result.resize(20 * a::width);
    return result;
  };
  const auto before = run();
  for (int r = 20; r < rows; ++r) {
    for (int i = 0; i < 3 * a::width; ++i) qkv[static_cast<std::size_t>(r * 3 * a::width + i)] = NAN;
  }
  CHECK(before == run());
}

}  // namespace trm::cuda::testing
