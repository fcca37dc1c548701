// SPDX-License-Identifier: MIT
// Evaluation in which samples leave the batch when they are confident, and the next ones take their place.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "trm/data/batch.hpp"
#include "trm/data/sequential_reader.hpp"
#include "trm/train/evaluate.hpp"
#include "trm/train/solver.hpp"

namespace trm {

/// When a sample of an evaluation stops: at the first supervision step after which sigmoid(q_halt) > confidence, at the latest
/// after max_steps. Training stops at 1/2.
struct exit_rule {
  int max_steps = 16;
  double confidence = 0.5;  // in [0, 1]; 1: never before max_steps

  /// Throws where a number cannot be.
  void check() const {
    if (max_steps < 1) throw error("max_steps", "must be at least 1, not " + std::to_string(max_steps));
    if (!(confidence >= 0 && confidence <= 1)) throw error("confidence", "must be from 0 to 1");
  }
  /// Does a sample with this logit end after so many steps? sigmoid(q_halt) > confidence, or no step is left.
  bool stops(float q_halt, int steps) const {
    return steps >= max_steps || q_halt > std::log(confidence / (1 - confidence));  // log(x / 0) is infinite
  }
};

/// What an evaluation did: the metrics of each source, over each sample's last step, and the supervision steps in all.
struct exit_report {
  std::vector<step_metrics> metrics;
  std::int64_t samples = 0, steps = 0;  // of all rollouts

  /// The mean; 0 without samples.
  double steps_per_sample() const {
    return samples == 0 ? 0 : static_cast<double>(steps) / static_cast<double>(samples);
  }
};

namespace detail {

/// The result of one sample, kept until all are there: sums are then made in the order of the data.
struct finished_sample {
  token_result tokens;
  halting_result halting;
  int steps = 0;
};

}  // namespace detail

/// Several attempts at each example: their states are disturbed after every supervision step, and the one whose q_halt is highest
/// answers (arXiv 2605.19943). The first attempt is not disturbed.
struct rollouts {
  int count = 1;           // attempts at every sample
  double noise = 0.1;      // standard deviation, of states whose root mean square is 1
  std::uint64_t seed = 0;  // of the noise

  /// Throws trm::error where a batch of so many samples does not hold whole sets of attempts, or noise is no number.
  void check(int batch) const {
    if (count < 1 || batch % count != 0) {
      throw error("rollouts",
                  std::to_string(count) + " must be at least 1 and divide the batch of " + std::to_string(batch));
    }
    if (!(noise >= 0 && std::isfinite(noise))) throw error("rollouts", "the noise must be finite and not negative");
  }
  /// Of the samples [first, first + count): the most confident one, the first of several.
  int best(const samples& s, int first) const {
    const auto of_example =
        std::span(s.halting).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    return first +
           static_cast<int>(std::ranges::max_element(of_example, {}, &halting_result::q_halt) - of_example.begin());
  }
  /// What disturbs attempt `attempt` at row `row` of source `source` after `steps` supervision steps.
  draws noise_of(std::size_t source, std::int64_t row, int attempt, int steps) const {
    const auto step = static_cast<std::uint64_t>(row) << 16 | static_cast<std::uint64_t>(steps);
    const auto number = static_cast<std::uint32_t>(source << 16) | static_cast<std::uint32_t>(attempt);
    return philox{seed}.at(purpose::noise, step, number);
  }
};

/// Evaluates every example of `sources` (at most `max_samples` in all) by the rule, as many at a time as the solver's batch holds, each by
/// `attempts.count` rollouts. An example stops when one of its rollouts stops; the next one takes its place at once, and when there are
/// none left the batch shrinks. What an example answers does not depend on its neighbours, with a product provider whose rows do not (the
/// built-in one). `each(part, i, solver)` when it has stopped: part says which example (one row), i where its answer is in solver.samples().
template <class Model, class Backend, class Source, class Each>
exit_report evaluate_with_exit(solver<Model, Backend>& s, const puzzle_rows<typename Model::master>& table,
                               std::span<const Source> sources, const dataset_metadata& data, const exit_rule& rule,
                               const rollouts& attempts, std::int64_t max_samples, Each each) {
  detail::check_fit<Model>(data);
  rule.check(), attempts.check(s.batch_size());
  batch_memory memory(1, Model::S);
  const batch_view next = memory.view();
  const batch example{next.inputs, next.labels,
                      Model::W > 0 ? std::span<const int>(next.puzzle_identifiers) : std::span<const int>()};
  sequential_reader<Source> reader(sources, data, 1, {}, max_samples);
  std::vector<std::vector<detail::finished_sample>> done(sources.size());
  exit_report report{.metrics = std::vector<step_metrics>(sources.size())};

  const int n = attempts.count;
  std::vector<sequential_part> held;  // the example of each group of n samples
  std::vector<int> going;             // samples that go on
  sequential_part part;
  const auto take = [&](int group) {
    for (int r = 0; r < n; ++r) s.replace(group * n + r, example, table);
  };
  const auto go_on = [&](int group) {
    for (int r = 0; r < n; ++r) going.push_back(group * n + r);
  };
  s.activate(s.batch_size());
  for (int group = 0; group < s.batch_size() / n && reader.next(next, part); ++group) {
    take(group), go_on(group);
    held.push_back(part);
  }
  s.keep(going);

  while (!held.empty()) {
    s.step();
    report.steps += s.active();
    going.clear();
    std::size_t kept = 0;
    for (std::size_t group = 0; group < held.size(); ++group) {
      const int first = static_cast<int>(group) * n;
      const samples& now = s.samples();
      const int answer = attempts.best(now, first);
      const auto at = static_cast<std::size_t>(answer);
      const sequential_part here = held[group];
      if (!rule.stops(now.halting[at].q_halt, now.steps[at])) {
        go_on(static_cast<int>(group));
        held[kept++] = here;
        continue;
      }
      auto& of_source = done[here.source];
      const auto row = static_cast<std::size_t>(here.first_row);
      of_source.resize(std::max(of_source.size(), row + 1));
      of_source[row] = {now.token_results[at], now.halting[at], now.steps[at]};
      ++report.samples;
      each(here, answer, s);
      if (reader.next(next, part)) {
        take(static_cast<int>(group)), go_on(static_cast<int>(group));
        held[kept++] = part;
      }
    }
    held.resize(kept);
    s.keep(going);
    if (n > 1 && attempts.noise > 0) {
      s.each_active([&](int i) {
        const samples& now = s.samples();
        const auto at = static_cast<std::size_t>(i);
        if (i % n == 0 || now.reset[at] != 0) return;
        const sequential_part& of = held[at / static_cast<std::size_t>(n)];
        s.add_noise(i, attempts.noise, attempts.noise_of(of.source, of.first_row, i % n, now.steps[at]));
      });
    }
  }
  for (std::size_t source = 0; source < sources.size(); ++source) {
    for (const detail::finished_sample& f : done[source])
      report.metrics[source].add(f.tokens, f.halting, f.steps, true);
  }
  return report;
}

}  // namespace trm
