// SPDX-License-Identifier: MIT
// Adaptive computation time: the Q head's loss and the decision to halt.
#pragma once
#include <cstdint>

#include "trm/core/call.hpp"
#include "trm/ops/cross_entropy.hpp"

namespace trm {

/// When a sample halts: after `max_steps` supervision steps, or earlier when its Q head says so, but not before a minimum that is
/// drawn uniformly from [2, max_steps] with probability `exploration`, and is 0 otherwise.
struct halting_rule {
  int max_steps = 16;
  double exploration = 0.1;
  bool adaptive = true;           // false: always max_steps
  bool against_continue = false;  // q_halt > q_continue instead of q_halt > 0
};

/// Where in a run a draw is made: it depends on nothing else.
struct draw_key {
  std::uint64_t seed = 0, step = 0;  // of the run; the update, counted from 1
  std::uint32_t first_sample = 0;    // number in the global batch of this call's sample 0
};

/// What the Q head says of one sample, and its losses.
struct halting_result {
  float q_halt = 0, q_continue = 0;         // logits
  double halt_loss = 0, continue_loss = 0;  // binary cross-entropies of the two logits
};

}  // namespace trm

namespace trm::ops {

/// For every sample: halt_loss = BCE(q_halt, exactly correct); with `next_q`, the Q values one supervision step further,
/// continue_loss = BCE(q_continue, sigmoid(q_halt' at the last allowed step, else max(q_halt', q_continue'))).
/// dq = scale / 2 * d(halt_loss + continue_loss). BCE(x, t) = max(x, 0) - x t + log(1 + exp(-|x|)).
template <class B, class Q, class N, class G>
constexpr void halting_loss(const call<B>& c,
                            Q q,                          // [B, 1, 2]: halt, continue
                            N next_q,                     // [B, 1, 2] or absent
                            const token_result* results,  // [B]
                            const int* steps,             // [B], this step included
                            int max_steps, double scale,
                            G dq,                   // [B, 1, 2] or absent
                            halting_result* out) {  // [B]
  c.backend.halting_loss(c, q, next_q, results, steps, max_steps, scale, dq, out);
}

/// halted_b = does sample b stop after this step?
template <class B>
constexpr void halt(const call<B>& c, halting_rule rule, draw_key key,
                    const halting_result* q,  // [B]
                    const int* steps,         // [B], this step included
                    unsigned char* halted) {  // [B]
  c.backend.halt(c, rule, key, q, steps, halted);
}

}  // namespace trm::ops
