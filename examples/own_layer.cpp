// SPDX-License-Identifier: MIT
// A layer, a pointwise function, a network and a head of one's own: checked, planned, trained. See docs/own_model.md.
#include <cmath>
#include <cstdio>

#include "trm/layers/mlp.hpp"
#include "trm/testing/gradient_check.hpp"
#include "trm/train/trainer.hpp"

/// y_t = w_0 x_(t-1) + w_1 x_t + w_2 x_(t+1), channel by channel; padding and what is outside of the sample count as 0.
struct neighbours {
  template <trm::shape In, class Num>
  struct at : trm::plain_entry {
    static constexpr trm::shape out = In;
    static constexpr int D = In.width;
    using sum = typename Num::statistic;
    template <class T>
    struct params {
      trm::tensor<T, 3, D> weight;
      constexpr void fields(auto&& f) { f("weight", weight, trm::init::normal(0.5)); }
    };
    template <trm::mode>
    using saved = trm::empty;  // the gradient needs x alone, and that the parent keeps
    template <trm::mode>
    struct scratch {
      trm::activation_of<In, Num> result;
      constexpr void fields(auto&& f) { f("result", result); }
    };
    template <trm::mode, class C, class P, class X, class S, class K, class Sink>
    static constexpr void forward(const C& c, const P& p, X x, S&, K& k, Sink y) {
      mix(c, p, x, k.result, 1);
      trm::ops::emit(c, k.result, y);
    }
    template <class C, class P, class G, class X, class Y, class Dy, class S, class K, class Sink>
    static constexpr void backward(const C& c, const P& p, const G& g, X x, Y, Dy d, S&, K& k, Sink dx) {
      trm::ops::each(c, 3 * D, [=](int i) {  // a weight's sum is one thread's and has one order: deterministic
        for (int n = 0; n < c.batch * c.rows; ++n) {
          const int b = n / c.rows, t = n % c.rows, k = i / D;
          g.weight.data[i] += value(c, d, b, t, i % D) * value(c, x, b, t + k - 1, i % D);
        }
      });
      mix(c, p, d, k.result, -1);
      trm::ops::emit(c, k.result, dx);  // not before d has been read: the layer below may write its own gradient there
    }
    static int length(const auto& c, int b) { return c.lengths != nullptr ? c.lengths[b] : c.rows; }
    static sum value(const auto& c, auto v, int b, int t, int i) {
      return t >= 0 && t < length(c, b) ? static_cast<sum>(v.at(c.rows, b, t, i)) : sum(0);
    }
    /// to_t = sum over k in {0, 1, 2} of w_k * from_(t + direction * (k - 1))
    static constexpr void mix(const auto& c, const auto& p, auto from, auto to, int direction) {
      trm::ops::each_sample(c, [=](int b) {
        const auto* w = trm::ops::values(p.weight);
        for (int n = 0; n < c.rows * D; ++n) {
          const int t = n / D, i = n % D;
          sum v = 0;
          for (int k = 0; k < 3 && t < length(c, b); ++k) v += w[k * D + i] * value(c, from, b, t + direction * (k - 1), i);
          to.at(c.rows, b, t, i) = static_cast<typename decltype(to)::value_type>(v);
        }
      });
    }
  };
};
struct softplus {  // log(1 + e^x)
  static auto value(auto x) { return std::log1p(std::exp(x)); }
  static auto derivative(auto x) { return 1 / (1 + std::exp(-x)); }
};
constexpr trm::config c{.tokens = 16, .vocab = 5, .hidden = 32, .heads = 1, .h_cycles = 2, .l_cycles = 2};
using my_net = trm::repeat<"layers", 2, trm::chain<trm::named<"mix", trm::post_norm<neighbours>>,
                                                   trm::named<"mlp", trm::post_norm<trm::mlp<96, softplus>>>>>;
using my_head = trm::chain<trm::named<"hidden", trm::post_norm<trm::mlp<64>>>, trm::named<"out", trm::linear<c.vocab>>>;
using model = trm::model<c, float, my_net, my_head>;
static_assert(trm::layer<neighbours, trm::shape{16, 32}, trm::numerics<float>>);
static_assert(trm::plan<model>(32).total() < 4 << 20);  // bytes to train with 32 samples a step
template <class Layer>
bool right(const char* name, const trm::testing::gradient_check_options& options = {}) {
  const trm::testing::gradient_report r = trm::testing::check_gradient<Layer, trm::shape{16, 32}>(options);
  std::printf("%-12s %s: %s\n", name, r.passed() ? "right" : "WRONG", r.text().c_str());
  return r.passed();
}
int main() {
  if (!(right<neighbours>("neighbours") && right<neighbours>("with padding", {.lengths = {16, 7}}))) return 1;
  if (!(right<my_net>("network") && right<my_head>("head"))) return 1;
  trm::cpu::context<> device;
  trm::trainer<model> trainer(device, {.batch = 32, .max_steps = 2, .optimizer = {.learning_rate = 3e-3}});
  trainer.initialise(1);
  std::vector<int> inputs(32 * 16), labels(32 * 16);
  double loss = 0;
  for (int step = 0; step <= 200; ++step) {
    const trm::draws draw = trm::philox{2}.at(trm::purpose::user, static_cast<std::uint64_t>(step));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs[i] = static_cast<int>(draw.below(c.vocab, i));
      labels[i] = i % 16 == 0 ? 0 : std::max(inputs[i - 1], inputs[i]);
    }
    loss = trainer.step({inputs, labels, {}}).metrics.lm_loss / 32;
    if (step % 50 == 0) std::printf("step %3d: loss %.3f\n", step, loss);
  }
  return loss < 0.5 ? 0 : 1;  // guessing: 1.4
}
