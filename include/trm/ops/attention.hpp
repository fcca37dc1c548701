// SPDX-License-Identifier: MIT
// Multi-head attention over a fused [q | k | v], its masks and its gradient.
#pragma once
#include "trm/core/call.hpp"
#include "trm/core/hd.hpp"
#include "trm/ops/sinks.hpp"

namespace trm {

// A mask says how many leading keys the query at row `query` sees, of `length` that count; `prefix` is the sample's number of
// rows that every row sees. Every mask of this family is a number of leading keys, so tiles beyond it are never computed.

/// Every row sees every row.
struct bidirectional {
  /// Keys [0, visible) are seen by every query.
  TRM_HD static constexpr int visible(int /*query*/, int length, int /*prefix*/) { return length; }
};

/// A row sees itself and what comes before.
struct causal {
  /// Keys [0, visible) are seen by row `query`.
  TRM_HD static constexpr int visible(int query, int length, int /*prefix*/) {
    return query + 1 < length ? query + 1 : length;
  }
};

/// The first `prefix` rows see each other both ways (a prompt); the rows after them are causal (a response).
struct prefix_causal {
  /// Keys [0, visible) are seen by row `query`.
  TRM_HD static constexpr int visible(int query, int length, int prefix) {
    const int n = query + 1 < prefix ? prefix : query + 1;
    return n < length ? n : length;
  }
};

}  // namespace trm

namespace trm::ops {

/// o_i = sum_j softmax_j(q_i . k_j / sqrt(head_dim)) v_j over the keys j that the mask lets row i see, for every head.
/// lse_i = log sum_j exp(q_i . k_j / sqrt(head_dim)) where a view is given: all that the gradient needs besides qkv and o.
template <int Heads, class Mask, class B, class Qkv, class O, class Lse>
constexpr void attention(const call<B>& c,
                         Qkv qkv,    // [B, rows, 3 * D], q and k rotated already
                         O o,        // [B, rows, D]
                         Lse lse) {  // [B, rows, Heads] or absent
  static_assert(Qkv::width == 3 * O::width, "attention: qkv must be three times as wide as the output");
  c.backend.template attention<Heads, Mask>(c, qkv, o, lse);
}

/// dqkv of the projection before the rotation (the rotation is undone here).
template <int Heads, class Mask, class Positions, class B, class Qkv, class O, class Lse, class D, class G>
constexpr void attention_gradient(const call<B>& c,
                                  Qkv qkv,   // [B, rows, 3 * D], rotated
                                  O o,       // [B, rows, D]
                                  Lse lse,   // [B, rows, Heads]
                                  D d_o,     // [B, rows, D]
                                  G dqkv) {  // [B, rows, 3 * D], overwritten
  c.backend.template attention_gradient<Heads, Mask, Positions>(c, qkv, o, lse, d_o, dqkv);
}

}  // namespace trm::ops
