// SPDX-License-Identifier: MIT
// What one layer sees of one sample, and what a layer is run for.
#pragma once

namespace trm {

/// channels_last: [B, rows, width], a row is contiguous. channels_first: the same memory with the two axes exchanged.
enum class layout { channels_last, channels_first };

/// training: activations are saved for the gradient. inference: nothing is kept.
enum class mode { inference, training };

/// The static maximum of a layer's input for one sample: `length` rows of `width` channels. Batch and the actual number of
/// rows are run-time values of the call.
struct shape {
  int length = 0, width = 0;
  layout order = layout::channels_last;  // which axis is contiguous
  friend constexpr bool operator==(const shape&, const shape&) = default;
};

}  // namespace trm
