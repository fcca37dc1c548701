// SPDX-License-Identifier: MIT
// Progress of long work: one line that is rewritten on a terminal, plain lines now and then elsewhere.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include <fmt/core.h>

#include "terminal.hpp"

namespace program {

/// 75 -> "1m15s"
inline std::string duration_text(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
}

/// Shows `done` of `total` with rate and remaining time on standard error.
class progress {
 public:
  /// `unit` names one piece of work: "steps". `first`: what was done already when it began.
  progress(std::string unit, std::int64_t total, bool quiet, std::int64_t first = 0)
      : unit_(std::move(unit)), total_(total), first_(first), quiet_(quiet), terminal_(is_terminal(STDERR_FILENO)) {}
  ~progress() { finish(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// `note` follows the numbers: losses, accuracies. Draws only when it is time to.
  template <class Note>
  void show(std::int64_t done, Note note) {
    if (quiet_) return;
    const auto now = clock::now();
    const double pause = terminal_ ? 0.2 : 15;
    if (done != total_ && seconds(now - last_) < pause) return;
    last_ = now;
    const double elapsed = seconds(now - begin_);
    const double rate = elapsed > 0.01 ? static_cast<double>(done - first_) / elapsed : 0;
    const std::string left =
        rate > 0 && done < total_ ? duration_text(static_cast<double>(total_ - done) / rate) : duration_text(elapsed);
    std::string line = fmt::format("{}/{} {}", done, total_, unit_);
    if (rate > 0) line += fmt::format("  {:.2f}/s  {} {}", rate, done < total_ ? "left" : "took", left);
    if (const std::string more = note(); !more.empty()) line += "  " + more;
    if (terminal_) {
      // A line that wraps could not be rewritten.
      line.resize(std::min(line.size(), terminal_columns(STDERR_FILENO, 80) - 1));
      say("\r\033[K" + line);
      open_ = true;
    } else {
      say(line + "\n");
    }
  }
  /// Ends the line on a terminal; before something else is printed.
  void finish() {
    if (open_) say("\n");
    open_ = false;
  }
  double elapsed() const { return seconds(clock::now() - begin_); }

 private:
  using clock = std::chrono::steady_clock;
  static double seconds(clock::duration d) { return std::chrono::duration<double>(d).count(); }

  std::string unit_;
  std::int64_t total_, first_;
  bool quiet_, terminal_, open_ = false;
  clock::time_point begin_ = clock::now(), last_ = begin_;
};

}  // namespace program
