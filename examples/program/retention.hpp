// SPDX-License-Identifier: MIT
// Which checkpoints of a run are kept, and when a run that gets no better ends.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metric_names.hpp"

namespace program {

/// A checkpoint that is whole.
struct kept_checkpoint {
  long long step = 0;
  double time = 0;                   // when it was made, in any unit; of equal times the later step is the newer
  std::optional<double> value = {};  // of the policy's metric, where it was evaluated
};

/// Three reasons to keep a checkpoint, and each suffices. The newest one is always kept.
struct retention_policy {
  std::int64_t newest = 0;  // this many of the newest; 0: all
  std::int64_t every = 0;   // those of steps that this divides; 0: none
  std::string metric = {};  // the best by this metric of metrics.jsonl; empty: none. Of equal ones the first
};

/// The steps of the checkpoints that the policy does not keep, in order.
inline std::vector<long long> to_delete(std::vector<kept_checkpoint> all, const retention_policy& policy) {
  if (policy.newest == 0 || all.empty()) return {};
  std::ranges::sort(all, std::ranges::greater(), [](const kept_checkpoint& c) { return std::pair(c.time, c.step); });
  const kept_checkpoint* best = nullptr;
  for (const kept_checkpoint& c : all) {  // from the newest: the first of equal ones comes last
    if (!policy.metric.empty() && c.value && (best == nullptr || !is_better(policy.metric, *best->value, *c.value))) {
      best = &c;
    }
  }
  std::vector<long long> steps;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool newest = i == 0 || static_cast<std::int64_t>(i) < policy.newest;
    const bool nth = policy.every > 0 && all[i].step % policy.every == 0;
    if (!newest && !nth && &all[i] != best) steps.push_back(all[i].step);
  }
  std::ranges::sort(steps);
  return steps;
}

/// Follows a metric over the evaluations of a run.
class improvement {
 public:
  /// `stop_after`: evaluations without a better value after which a run ends; 0: it never does.
  improvement(std::string metric, std::int64_t stop_after) : metric_(std::move(metric)), stop_after_(stop_after) {}

  /// Is this evaluation better than all before it? \throws trm::error where it has no such metric
  bool add(const flat_numbers& metrics) {
    const double value = metric_value(metrics, metric_);
    const bool better = !best_ || is_better(metric_, value, *best_);
    if (better) best_ = value;
    since_best_ = better ? 0 : since_best_ + 1;
    return better;
  }
  std::optional<double> best() const { return best_; }
  bool stop() const { return stop_after_ > 0 && since_best_ >= stop_after_; }

 private:
  std::string metric_;
  std::int64_t stop_after_, since_best_ = 0;
  std::optional<double> best_;
};

}  // namespace program
