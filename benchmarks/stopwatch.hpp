// SPDX-License-Identifier: MIT
// Time on a machine where others compute too.
#pragma once
#include <time.h>

#include <algorithm>

namespace trm_benchmark {

/// The shortest of many runs: other processes only ever add time. One thread is measured by the time that it computed,
/// several by the clock on the wall.
class stopwatch {
 public:
  explicit stopwatch(int threads) : clock_(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC) {}
  template <class F>
  void time(F&& f) {
    const double begin = now();
    f();
    best_ = std::min(best_, now() - begin);
  }
  /// Seconds.
  double best() const { return best_; }

 private:
  double now() const {
    timespec t;
    clock_gettime(clock_, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  clockid_t clock_;
  double best_ = 1e9;
};

}  // namespace trm_benchmark
