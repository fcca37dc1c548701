// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/cuda_cases/attention.hpp"
#include "support/cuda_cases/attention_by_library.hpp"
#include "support/emulated_gpu.hpp"

using namespace trm;
using namespace trm::cuda::testing;

namespace {

/// An emulated GPU with a library for attention, whose kernels do it plainly.
class gpu_with_library : public cuda::emulated_gpu, public cuda::attention_provider {
 public:
  cuda::attention_provider* attention() const { return const_cast<gpu_with_library*>(this); }
  bool takes(const cuda::attention_task& t) const override { return cuda::detail::aligned_to_16_bytes(t.q); }
  void forward(const cuda::attention_task& t) override { ++forwards, launch(forward_kernel{t}, 1, 32, 0); }
  void backward(const cuda::attention_gradient_task& t) override { ++backwards, launch(backward_kernel{t}, 1, 32, 0); }

  int forwards = 0, backwards = 0;

 private:
  template <class T>
  static T* row(const cuda::attention_rows<T>& x, const cuda::attention_task& t, int b, int h, int r) {
    return x.data + b * x.sample + r * x.row + h * t.width;
  }
  template <class X, class Y>
  static double dot(const X* x, const Y* y, int n) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    return sum;
  }
  /// f(sample, head, query, keys that it sees, where its statistics are)
  template <class F>
  static void each_query(const cuda::attention_task& t, F f) {
    for (int b = 0; b < t.samples; ++b) {
      for (int h = 0; h < t.heads; ++h) {
        for (int i = 0; i < t.rows; ++i) f(b, h, i, t.causal ? i + 1 : t.rows, (b * t.heads + h) * t.rows + i);
      }
    }
  }
  struct forward_kernel {
    cuda::attention_task t;
    template <class Block>
    void operator()(Block& block) const {
      if (block.thread() != 0) return;
      each_query(t, [&](int b, int h, int i, int seen, int at) {
        std::vector<double> p;
        for (int j = 0; j < seen; ++j) p.push_back(t.scale * dot(row(t.q, t, b, h, i), row(t.k, t, b, h, j), t.width));
        double sum = 0;
        for (double& x : p) sum += x = std::exp(x);
        for (int c = 0; c < t.width; ++c) {
          double o = 0;
          for (int j = 0; j < seen; ++j)
            o += p[static_cast<std::size_t>(j)] * static_cast<double>(row(t.v, t, b, h, j)[c]);
          row(t.o, t, b, h, i)[c] = bf16(static_cast<float>(o / sum));
        }
        if (t.statistics != nullptr) t.statistics[at] = static_cast<float>(std::log(sum));
      });
    }
  };
  struct backward_kernel {
    cuda::attention_gradient_task g;
    template <class Block>
    void operator()(Block& block) const {
      if (block.thread() != 0) return;
      const cuda::attention_task& t = g.of;
      const auto n = static_cast<std::size_t>(t.samples * t.rows * t.heads * t.width);
      std::vector<double> dq(n), dk(n), dv(n);
      const auto place = [&](int b, int h, int r) {
        return static_cast<std::size_t>(((b * t.rows + r) * t.heads + h) * t.width);
      };
      each_query(t, [&](int b, int h, int i, int seen, int at) {
        const bf16 *q = row(t.q, t, b, h, i), *d_o = row(g.d_o, t, b, h, i);
        const double delta = dot(d_o, row(t.o, t, b, h, i), t.width);
        for (int j = 0; j < seen; ++j) {
          const bf16 *k = row(t.k, t, b, h, j), *v = row(t.v, t, b, h, j);
          const double p = std::exp(t.scale * dot(q, k, t.width) - static_cast<double>(t.statistics[at]));
          const double ds = t.scale * p * (dot(d_o, v, t.width) - delta);
          for (int c = 0; c < t.width; ++c) {
            const std::size_t to_i = place(b, h, i) + static_cast<std::size_t>(c),
                              to_j = place(b, h, j) + static_cast<std::size_t>(c);
            dq[to_i] += ds * static_cast<double>(k[c]);
            dk[to_j] += ds * static_cast<double>(q[c]), dv[to_j] += p * static_cast<double>(d_o[c]);
          }
        }
      });
      each_query(t, [&](int b, int h, int i, int, int) {
        for (int c = 0; c < t.width; ++c) {
          const std::size_t from = place(b, h, i) + static_cast<std::size_t>(c);
          row(g.dq, t, b, h, i)[c] = bf16(static_cast<float>(dq[from]));
          row(g.dk, t, b, h, i)[c] = bf16(static_cast<float>(dk[from]));
          row(g.dv, t, b, h, i)[c] = bf16(static_cast<float>(dv[from]));
        }
      });
    }
  };
};
static_assert(cuda::attention_device<gpu_with_library> && !cuda::attention_device<cuda::emulated_gpu>);

// The published width of a head, and the widest that cuDNN is asked for, fit a block of any GPU since sm_80: of sm_86 it has 99 KiB.
template <int Width>
constexpr std::size_t most_of_a_block =
    std::max({cuda::detail::attention_kernel<bf16, bidirectional, Width>::shared,
              cuda::detail::query_gradient_kernel<bf16, bidirectional, Width>::shared,
              cuda::detail::key_gradient_kernel<bf16, bidirectional, Width>::shared});
static_assert(most_of_a_block<64> <= 48 << 10);
static_assert(most_of_a_block<128> <= 99 << 10);
// So do rows of any width that fit at all there, alone or side by side; a vocabulary of 32 thousand in float32 fits sm_80.
static_assert(cuda::detail::shape_of_rows(3072, 4, false).at_once * 3073 * 4 <= 48 << 10);
static_assert(cuda::detail::shape_of_rows(512, 4, true).at_once * 513 * 4 <= 99 << 10);
static_assert(cuda::detail::row_fits(32000, 4) && !cuda::detail::row_fits(64000, 4));

}  // namespace

TEST_CASE_TEMPLATE("attention on a device is that of the CPU", T, float, bf16) {
  cuda::emulated_gpu device({.order = 3});
  check_attention<T>(device);
}

TEST_CASE("what a row does not see changes no bit of it") {
  cuda::emulated_gpu device;
  check_unseen_keys(device);
}

TEST_CASE("a device's library computes attention where all rows count, under the masks that it has") {
  gpu_with_library device;
  check_attention_by_library<bidirectional, 16>(device, {2, 71, {}, {}});
  check_attention_by_library<causal, 16>(device, {2, 71, {}, {}});
  CHECK(device.forwards == 4);
  CHECK(device.backwards == 2);
  check_attention<bf16, bidirectional, 16>(device, {2, 40, {40, 33}, {}});
  CHECK(device.forwards == 4);
}
