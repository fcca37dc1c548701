// SPDX-License-Identifier: MIT
// Work that is asked for again and again: captured once, replayed from then on.
#pragma once
#include <optional>

#include "trm/backend/cuda/device.hpp"

namespace trm::cuda {

/// The first call does the work as it is asked for, which is when operations take their memory and choose their algorithms; the
/// second captures it as one graph; from then on a call is one launch of that graph. The work must be the same every time: what
/// changes from call to call lies in device memory.
template <class Device>
class repeated {
 public:
  /// Asks for f(), in one of these ways.
  template <class F>
  void operator()(Device& d, F f) {
    if (!done_once_) {
      f();
      done_once_ = true;
      return;
    }
    if (!graph_) graph_.emplace(d.capture(f));
    graph_->launch();
  }
  /// The work has become another one: it is done once more before it is captured again.
  void changed() { done_once_ = false, graph_.reset(); }
  /// Is it replayed by now?
  bool captured() const { return graph_.has_value(); }

 private:
  bool done_once_ = false;
  std::optional<typename Device::graph> graph_;
};

}  // namespace trm::cuda
