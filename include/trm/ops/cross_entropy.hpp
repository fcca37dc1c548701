// SPDX-License-Identifier: MIT
// Token losses: stablemax and softmax cross-entropy, with predictions and correctness.
#pragma once
#include "trm/core/call.hpp"
#include "trm/core/hd.hpp"
#include "trm/core/ignored_label.hpp"

namespace trm {

/// p_i = s(x_i) / sum_j s(x_j), s(x) = x + 1 (x >= 0), 1 / (1 - x) (x < 0), in float64 (arXiv 2501.04697).
struct stablemax {};
/// p_i = exp(x_i) / sum_j exp(x_j), in float64.
struct softmax {};

/// What the loss says of one sample.
struct token_result {
  double loss = 0;     // mean of -log p_label over the supervised tokens
  int supervised = 0;  // tokens with a label
  int correct = 0;     // of these, tokens whose largest logit is the label's
  TRM_HD constexpr bool exact() const { return correct == supervised; }  // every supervised token is right
};

}  // namespace trm

namespace trm::ops {

/// For every sample: loss = mean over its supervised tokens of -log p_label (0 where there is none), and with
/// a gradient view d logits = scale * d loss / d logits. predictions = the first largest logit.
template <class Loss, class B, class X, class G>
constexpr void cross_entropy(const call<B>& c,
                             X logits,           // [B, rows, V]
                             const int* labels,  // [B, rows], in [0, V) or ignored_label
                             double scale,
                             G d_logits,               // [B, rows, V] or absent
                             int* predictions,         // [B, rows]
                             token_result* results) {  // [B]
  c.backend.template cross_entropy<Loss>(c, logits, labels, scale, d_logits, predictions, results);
}

}  // namespace trm::ops
