// SPDX-License-Identifier: MIT
// A dense optimizer that is chosen when the program runs.
#pragma once
#include <cstddef>
#include <string_view>

#include "trm/core/error.hpp"
#include "trm/optim/optimizers.hpp"

namespace trm {

/// adam_atan2 or adamw: a trainer with it is compiled once for both.
class any_optimizer {
 public:
  const char* name = adam_atan2::name;  // as in options and checkpoints

  any_optimizer() = default;
  /// By its name. Throws for another one.
  explicit any_optimizer(std::string_view wanted) {
    if (wanted == adamw::name) {
      name = adamw::name, adamw_ = true;
    } else if (wanted != adam_atan2::name) {
      throw error("optimizer", "there is none of this name: adam_atan2, adamw");
    }
  }
  /// One update of n parameters by the chosen one; see its `step`.
  template <class B, class T>
  void step(B& backend, T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale) const {
    if (adamw_) {
      adamw::step(backend, p, m, v, g, n, s, scale);
    } else {
      adam_atan2::step(backend, p, m, v, g, n, s, scale);
    }
  }

 private:
  bool adamw_ = false;
};

}  // namespace trm
