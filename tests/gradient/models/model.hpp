// SPDX-License-Identifier: MIT
// The gradient of a whole model: every parameter and the puzzle rows, against differences of the loss of one step.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "gradient/layers/check.hpp"
#include "trm/models/model.hpp"
#include "trm/testing/gradient_check.hpp"

namespace trm_test {

struct model_check_options {
  std::vector<int> lengths = {}, prefixes = {};  // [B] rows, puzzle positions included, or empty
  double scale = 0.25;
  double difference = 1e-5;
};

/// One supervision step of three samples: one begins with a carry of its own, one is exactly right.
/// The step must have no part without a gradient. The targets of the Q head are constants of the loss: the predictions
/// must not flip, and the Q values one step further are those of the undisturbed weights.
template <trm::config C>
trm::testing::gradient_report check_model(const model_check_options& o = {}) {
  using model = trm::model<C, double>;
  static_assert(model::core::flow::first == 0, "the step has a part without a gradient");
  using backend = trm::cpu::context<>;
  using weight = backend::weight<double>;
  using prepared = backend::prepared<double, model::template params>;
  namespace detail = trm::testing::detail;
  constexpr int B = 3, S = model::S, W = model::W;
  constexpr std::size_t samples = B;

  backend device(2);
  const trm::call<backend> c{device, B, model::L, o.lengths.empty() ? nullptr : o.lengths.data(),
                             o.prefixes.empty() ? nullptr : o.prefixes.data()};
  auto weights = detail::random_values(model::extent, 0.25, 11, 1);
  auto constants = detail::random_values(model::constant_extent, 1, 11, 2);
  const auto gradient_before = detail::random_values(model::extent, 1, 11, 3);
  auto gradient = gradient_before;
  auto rows = detail::random_values(samples * W, 1, 11, 4);
  std::vector<double> rows_gradient(samples * W, std::nan(""));
  trm::buffer derived(prepared::bytes(trm::mode::training));
  const typename model::template params<weight> p = prepared::bind(weights.data(), derived.data(), trm::mode::training);
  const auto g = trm::bind_parameters<model::template params, double>(gradient.data());
  const auto initial = trm::bind_parameters<model::template constants, double>(constants.data());
  const auto refresh = [&] { prepared::refresh(device.pool(), p); };
  refresh();

  trm::buffer carry_memory(samples * trm::sample_bytes<typename model::carry>());
  trm::buffer output_memory = detail::poisoned(samples * trm::sample_bytes<typename model::outputs>());
  trm::buffer step_memory = detail::poisoned(samples * trm::sample_bytes<typename model::training_memory>());
  const auto z = trm::bind_activations<typename model::carry>(carry_memory.data(), samples);
  const auto out = trm::bind_activations<typename model::outputs>(output_memory.data(), samples);
  auto m = trm::bind_activations<typename model::training_memory>(step_memory.data(), samples);

  std::vector<int> tokens(samples * S), labels(samples * S), predictions(samples * S);
  const trm::draws draw = trm::philox{5}.at(trm::purpose::user);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<int>(draw.below(C.vocab, i));
    labels[i] = i % 4 == 3 ? trm::ignored_label : static_cast<int>(draw.below(C.vocab, 1000 + i));
  }
  const unsigned char reset[B] = {1, 0, 1};
  const int steps[B] = {1, 2, 4};  // the last one is at the last allowed step
  trm::token_result token_results[B];
  trm::halting_result halting[B];
  const trm::step_input<double> in{tokens.data(), labels.data(), rows.data(), rows_gradient.data(), reset};
  const auto start =
      detail::random_values(trm::sample_bytes<typename model::carry>() / sizeof(double) * samples, 1, 11, 5);

  const auto forward = [&] {
    std::copy(start.begin(), start.end(), reinterpret_cast<double*>(carry_memory.data()));
    std::memset(step_memory.data(), 0xff, step_memory.size());
    std::memset(output_memory.data(), 0xff, output_memory.size());
    model::forward(c, p, initial, in, z, out, m);
  };
  const auto measure = [&] {
    model::losses(c, in, out, steps, 4, o.scale, m, predictions.data(), token_results, halting);
    double sum = 0;
    for (int b = 0; b < B; ++b) sum += token_results[b].loss + 0.5 * (halting[b].halt_loss + halting[b].continue_loss);
    return o.scale * sum;
  };
  trm::testing::gradient_report report;

  forward();
  model::probe(c, p, z, m);
  measure();
  std::copy_n(predictions.begin(), S, labels.begin());  // sample 0 is exactly right
  measure();
  const std::vector<int> base_predictions = predictions;
  if (!token_results[0].exact() || token_results[1].exact())
    report.problem = "the samples are not as the test means them";
  std::vector<double> next_q;
  if constexpr (model::trains_continue) next_q.assign(m.probe.q.data, m.probe.q.data + 2 * B);
  model::backward(c, p, g, in, z, out, m);

  const auto loss = [&] {
    forward();
    if constexpr (model::trains_continue) std::copy(next_q.begin(), next_q.end(), m.probe.q.data);
    const double sum = measure();
    if (predictions != base_predictions) report.problem = "a prediction flips: choose other numbers";
    return sum;
  };
  const trm::testing::gradient_check_options g_options{.samples_per_tensor = 24, .difference = o.difference};
  for (const auto& e : model::table) {
    detail::compare(report, e.name(), weights.data() + e.offset, gradient.data() + e.offset,
                    gradient_before.data() + e.offset, e.count, g_options, loss, refresh);
    if (detail::largest(gradient.data() + e.offset, gradient_before.data() + e.offset, e.count) == 0) {
      report.problem = std::string(e.name()) + ": no gradient at all";
    }
  }
  if constexpr (W > 0) {
    const std::vector<double> zeros(rows.size());
    detail::compare(report, "puzzle rows", rows.data(), rows_gradient.data(), zeros.data(), rows.size(), g_options,
                    loss, [] {});
  }
  return report;
}

/// Small enough for differences; what a test varies is set on a copy.
inline constexpr trm::config small_model{.tokens = 5,
                                         .vocab = 6,
                                         .hidden = 8,
                                         .heads = 2,
                                         .layers = 2,
                                         .h_cycles = 1,
                                         .l_cycles = 2,
                                         .expansion = 2,
                                         .puzzle_positions = 2,
                                         .puzzle_width = 12};

}  // namespace trm_test
