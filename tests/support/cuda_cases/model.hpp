// SPDX-License-Identifier: MIT
// One supervision step of a model and its gradient in float64: on a device and by the oracle, where only the order of sums differs.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/cuda_cases/compare.hpp"
#include "trm/models/model.hpp"

namespace trm::cuda::testing {

/// What a step leaves.
struct step_outcome {
  std::vector<double> gradient, puzzle_gradient, carry, outputs;
  std::vector<int> predictions;
  std::vector<token_result> tokens;
  std::vector<halting_result> halting;
};

/// A step of B samples, two of them padded where there are lengths, on a backend; `take(n)` gives n bytes of its memory, `in(to, from,
/// n)` and `out(to, from, n)` copy to and from it, `refresh(bound weights)` prepares weights. Memory that the step writes is NaN before.
template <class Model, class Prepared, class Backend, class Take, class In, class Out, class Refresh>
step_outcome step_on(Backend& backend, bool padded, Take take, In in, Out out, Refresh refresh) {
  constexpr int B = 3, S = Model::S, W = Model::W;
  constexpr std::size_t samples = B;
  const auto put = [&](const auto& v) {
    using V = typename std::remove_reference_t<decltype(v)>::value_type;
    auto* p = reinterpret_cast<V*>(take(v.size() * sizeof(V) + 1));
    in(p, v.data(), v.size() * sizeof(V));
    return p;
  };
  const auto random = [](std::size_t n, double scale, std::uint64_t what) {
    std::vector<double> v(n);
    const draws from = philox{21}.at(purpose::user, what);
    for (std::size_t i = 0; i < n; ++i) v[i] = scale * from.normal(i);
    return v;
  };
  const auto bound_memory = [&]<class Aggregate>(Aggregate*, bool filled) {
    const std::size_t n = samples * sample_bytes<Aggregate>() / sizeof(double);
    auto* p = put(filled ? random(n, 1, 5) : std::vector<double>(n, NAN));
    return bind_activations<Aggregate>(reinterpret_cast<std::byte*>(p), samples);
  };
  std::vector<int> tokens(samples * S), labels(samples * S), lengths{Model::L, Model::L - 2, Model::P + 1};
  const draws draw = philox{5}.at(purpose::user);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<int>(draw.below(Model::V, 2 * i));
    labels[i] = i % 4 == 3 ? ignored_label : static_cast<int>(draw.below(Model::V, 2 * i + 1));
  }
  const std::vector<double> parameters = random(Model::extent, 0.25, 1), gradient = random(Model::extent, 1, 3);
  auto* g_data = put(gradient);
  const auto p = Prepared::bind(put(parameters), take(Prepared::bytes(mode::training) + 1), mode::training);
  const auto g = bind_parameters<Model::template params, double>(g_data);
  const auto initial = bind_parameters<Model::template constants, double>(put(random(Model::constant_extent, 1, 2)));
  refresh(p);
  auto* puzzle_gradient = put(std::vector<double>(samples * W, NAN));
  const auto z = bound_memory(static_cast<typename Model::carry*>(nullptr), true);
  const auto outputs = bound_memory(static_cast<typename Model::outputs*>(nullptr), false);
  auto m = bound_memory(static_cast<typename Model::training_memory*>(nullptr), false);
  auto* predictions = put(std::vector<int>(samples * S));
  auto* results = put(std::vector<token_result>(samples));
  auto* halting = put(std::vector<halting_result>(samples));
  const step_input<double> data{put(tokens), put(labels), put(random(samples * W, 1, 4)), puzzle_gradient,
                                put(std::vector<unsigned char>{1, 0, 1})};
  const int* steps = put(std::vector<int>{1, 2, 4});

  const call<Backend> c{backend, B, Model::L, padded ? put(lengths) : nullptr, nullptr};
  Model::forward(c, p, initial, data, z, outputs, m);
  Model::probe(c, p, z, m);
  Model::losses(c, data, outputs, steps, 4, 1.0 / B, m, predictions, results, halting);
  Model::backward(c, p, g, data, z, outputs, m);

  const auto get = [&](const auto* from, std::size_t n) {
    std::vector<std::remove_cv_t<std::remove_reference_t<decltype(*from)>>> v(n);
    out(v.data(), from, n * sizeof(v[0]));
    return v;
  };
  step_outcome o{get(g_data, Model::extent),
                 get(puzzle_gradient, samples * W),
                 {},
                 {},
                 get(predictions, samples * S),
                 get(results, samples),
                 get(halting, samples)};
  for (const auto& state : z.z) {
    const auto v = get(state.data, samples * Model::L * Model::D);
    o.carry.insert(o.carry.end(), v.begin(), v.end());
  }
  o.outputs = get(outputs.logits.data, samples * S * Model::V);
  const auto q = get(outputs.q.data, samples * 2);
  o.outputs.insert(o.outputs.end(), q.begin(), q.end());
  return o;
}

/// The step on a device against the oracle's. Both compute in float64: they differ by the order of sums of at most some hundred terms in
/// some hundred layers of operations.
template <config C, class Device>
void check_model(Device& device, bool padded = false) {
  using model = trm::model<C, double>;
  using host_prepared = typename oracle::context::template prepared<double, model::template params>;
  using prepared = typename context<Device>::template prepared<double, model::template params>;
  oracle known;
  std::vector<buffer> host_memory;
  const auto take_host = [&](std::size_t n) { return host_memory.emplace_back(n).data(); };
  const auto copy = [](void* to, const void* from, std::size_t n) {
    if (n > 0) std::memcpy(to, from, n);
  };
  const step_outcome want = step_on<model, host_prepared>(
      known.backend, padded, take_host, copy, copy, [&](const auto& w) { known.template refresh<host_prepared>(w); });

  context<Device> backend(device);
  std::vector<device_memory<Device>> memory;
  const auto take = [&](std::size_t n) { return memory.emplace_back(device, n).data(); };
  const auto in = [&](void* to, const void* from, std::size_t n) {
    if (n > 0) device.copy_in(to, from, n);
  };
  const auto out = [&](void* to, const void* from, std::size_t n) {
    if (n > 0) device.copy_out(to, from, n);
  };
  const auto on_device = [&] {
    memory.clear();
    return step_on<model, prepared>(backend, padded, take, in, out,
                                    [&](const auto& w) { prepared::refresh(device, w); });
  };
  const step_outcome got = on_device();

  constexpr double bound = 1e5 * 0x1p-53;
  for (const auto& e : model::table) {
    const auto first = static_cast<std::ptrdiff_t>(e.offset), end = first + static_cast<std::ptrdiff_t>(e.count);
    detail::check_close(std::string(e.name()),
                        std::vector<double>(got.gradient.begin() + first, got.gradient.begin() + end),
                        std::vector<double>(want.gradient.begin() + first, want.gradient.begin() + end), bound);
  }
  if (model::W > 0) detail::check_close("puzzle rows", got.puzzle_gradient, want.puzzle_gradient, bound);
  detail::check_close("carry", got.carry, want.carry, bound);
  detail::check_close("outputs", got.outputs, want.outputs, bound);
  CHECK(got.predictions == want.predictions);
  for (std::size_t b = 0; b < 3; ++b) {
    CHECK(got.tokens[b].loss == doctest::Approx(want.tokens[b].loss).epsilon(bound));
    CHECK(got.halting[b].halt_loss == doctest::Approx(want.halting[b].halt_loss).epsilon(bound));
    CHECK(got.halting[b].continue_loss == doctest::Approx(want.halting[b].continue_loss).epsilon(bound));
  }
  const step_outcome again = on_device();
  CHECK(again.gradient == got.gradient);
  CHECK(again.carry == got.carry);
}

/// The published model in small: attention, padding, q_continue, learned halting.
inline constexpr config small_attention{.tokens = 15,
                                        .vocab = 7,
                                        .hidden = 24,
                                        .heads = 2,
                                        .layers = 2,
                                        .h_cycles = 2,
                                        .l_cycles = 2,
                                        .expansion = 2,
                                        .width_multiple = 8,
                                        .puzzle_positions = 2,
                                        .puzzle_width = 30,
                                        .halting = halting_kind::q_continue};
/// The token mixer, whose products are unaligned.
inline constexpr config small_mixer{.tokens = 19,
                                    .vocab = 7,
                                    .hidden = 40,
                                    .layers = 1,
                                    .h_cycles = 2,
                                    .l_cycles = 1,
                                    .expansion = 2,
                                    .width_multiple = 8,
                                    .mixing = mixing_kind::tokens,
                                    .positions = position_kind::none};

}  // namespace trm::cuda::testing
