// SPDX-License-Identifier: MIT
// Layers, forward and backward, against the time that their matrix products and their attention cannot do without. What a layer takes
// on top is its overhead: norms, activations, rotations, and what the products themselves lose.
#include <cstddef>
#include <string>
#include <type_traits>

#include "measure.hpp"
#include "trm/backend/cpu/context.hpp"
#include "trm/core/activations.hpp"
#include "trm/core/parameters.hpp"
#include "trm/models/network.hpp"
#include "trm/ops/rows.hpp"

namespace {

using namespace trm_benchmark;
using backend = trm::cpu::context<>;
constexpr int length = 97, width = 512, heads = 8;
constexpr trm::config described{.tokens = length, .vocab = 12, .hidden = width, .heads = heads};

/// A layer bound to a shape, its memory, and runs of it.
template <class Layer, class T>
class layer_under_test {
 public:
  static constexpr trm::shape in{length, width};
  using at = trm::bound<Layer, in, trm::numerics<T>>;
  using activation = trm::activation_of<in, trm::numerics<T>>;
  using saved = typename at::template saved<trm::mode::training>;
  using scratch = typename at::template scratch<trm::mode::training>;
  template <class E>
  using params = typename at::template params<E>;
  using prepared = backend::prepared<T, at::template params>;

  layer_under_test(backend& device, int batch)
      : call_{device, batch, length},
        values_(random_values<float>(trm::parameter_extent<params<float>>())),
        gradients_(values_.size()),
        forms_(prepared::bytes(trm::mode::training)),
        saved_(trm::sample_bytes<saved>() * samples()),
        scratch_(trm::sample_bytes<scratch>() * samples()),
        x_(random_values<T>(samples() * length * width)),
        y_(x_.size()),
        dy_(random_values<T>(samples() * length * width)),
        dx_(x_.size()),
        p_(prepared::bind(values_.as<float>(), forms_.data(), trm::mode::training)),
        g_(trm::bind_parameters<at::template params, float>(gradients_.as<float>())),
        s_(trm::bind_activations<saved>(saved_.data(), samples())),
        k_(trm::bind_activations<scratch>(scratch_.data(), samples())) {
    for (std::size_t i = 0; i < values_.size() / sizeof(float); ++i) values_.as<float>()[i] *= 0.1f;
    prepared::refresh(device.pool(), p_);
  }

  void forward() {
    at::template forward<trm::mode::training>(call_, p_, view(x_), s_, k_, trm::sink::store<activation>{view(y_)});
  }
  /// Of the last forward. Some of what was saved is consumed: numbers change, their number does not.
  void backward() {
    at::backward(call_, p_, g_, view(x_), view(y_), view(dy_), s_, k_, trm::sink::store<activation>{view(dx_)});
  }

  /// What the backend that computes nothing counts.
  static constexpr double forward_flops(int batch) {
    return count(
        [](const auto& c, const auto& p, auto& s, auto& k) {
          at::template forward<trm::mode::training>(c, p, activation{}, s, k, trm::sink::store<activation>{});
        },
        batch);
  }
  static constexpr double backward_flops(int batch) {
    return count(
        [](const auto& c, const auto& p, auto& s, auto& k) {
          at::backward(c, p, p, activation{}, activation{}, activation{}, s, k, trm::sink::store<activation>{});
        },
        batch);
  }
  /// Bytes of the weights in the compute type, and of x and y.
  static constexpr double weights() { return static_cast<double>(trm::parameter_count<params<float>>() * sizeof(T)); }
  static constexpr double rows(int batch) { return 1.0 * batch * length * width * sizeof(T); }

 private:
  template <class F>
  static constexpr double count(F f, int batch) {
    trm::count counted;
    const trm::call<trm::count> c{counted, batch, length};
    params<float> p{};
    saved s{};
    scratch k{};
    f(c, p, s, k);
    return counted.flops();
  }
  std::size_t samples() const { return static_cast<std::size_t>(call_.batch); }
  static activation view(const trm::buffer& b) { return {b.as<T>()}; }

  trm::call<backend> call_;
  trm::buffer values_, gradients_, forms_, saved_, scratch_, x_, y_, dy_, dx_;
  typename prepared::weights p_;
  params<float> g_;
  saved s_;
  scratch k_;
};

template <class Layer, class T>
void register_layer(const std::string& name) {
  using tested = layer_under_test<Layer, T>;
  constexpr int batch = 8;
  const auto one = [&](const std::string& pass, work w, auto run) {
    add("layers/" + name + "/" + pass + "/" + type_name<T>() + "/" + std::to_string(batch) + "x" +
            std::to_string(length) + "x" + std::to_string(width) + "/threads:1",
        [=](benchmark::State& state) {
          backend device(1);
          tested layer(device, batch);
          layer.forward();
          measure(state, w, 1, [&] { run(layer); });
        });
  };
  const double rows = tested::rows(batch), weights = tested::weights();
  one("forward", {tested::forward_flops(batch), rows + weights, rows, type_of<T>()}, [](tested& l) { l.forward(); });
  one("backward", {tested::backward_flops(batch), 2 * rows + weights, rows + weights * 4 / sizeof(T), type_of<T>()},
      [](tested& l) { l.backward(); });
}

const bool registered = [] {
  using feed_forward = trm::swiglu<4.0>;
  register_ceilings();
  register_layer<trm::attention<heads>, float>("attention");
  register_layer<trm::over_tokens<trm::post_norm<feed_forward>>, float>("over_tokens_post_norm_swiglu");
  register_layer<trm::network<described>, float>("network");
  register_layer<trm::network<described>, trm::bf16>("network");
  return true;
}();

}  // namespace
