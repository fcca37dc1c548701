// SPDX-License-Identifier: MIT
// Positions: how a row's place in the sequence enters the attention.
#pragma once
#include <array>
#include <cmath>

#include "trm/core/text.hpp"

namespace trm {

/// No rotation: positions are learned, given by the mixer, or absent.
struct no_positions {
  static constexpr bool rotates = false;  // asked for by attention
};

/// Rotary embedding, rotate-half (arXiv 2104.09864): pair (i, i + d/2) of a head turns by row * theta^(-2i/d).
/// The angle is computed in float32, as the published code does.
template <number Theta = 10000.0>
struct rope {
  static constexpr bool rotates = true;  // asked for by attention
  /// The angle of pair `pair` of a head of `head_dim` channels at row `row`, in radians.
  static float angle(int row, int pair, int head_dim) {
    const float exponent = static_cast<float>(2 * pair) / static_cast<float>(head_dim);
    const float inverse_frequency = 1.0f / std::pow(static_cast<float>(Theta.value), exponent);
    return static_cast<float>(row) * inverse_frequency;
  }
};

/// cos and sin of every row and pair, computed once when the program starts.
template <class Positions, int Rows, int HeadDim>
struct rotation_table {
  static constexpr int pairs = HeadDim / 2;                                // channels (i, i + pairs) turn together
  std::array<float, static_cast<std::size_t>(Rows) * pairs> cosine, sine;  // [Rows, pairs]

  /// Computed in float64, rounded once.
  rotation_table() {
    for (int r = 0; r < Rows; ++r) {
      for (int i = 0; i < pairs; ++i) {
        const double a = Positions::angle(r, i, HeadDim);
        cosine[static_cast<std::size_t>(r * pairs + i)] = static_cast<float>(std::cos(a));
        sine[static_cast<std::size_t>(r * pairs + i)] = static_cast<float>(std::sin(a));
      }
    }
  }
  const float* cosine_of(int row) const { return cosine.data() + static_cast<std::size_t>(row) * pairs; }  // [pairs]
  const float* sine_of(int row) const { return sine.data() + static_cast<std::size_t>(row) * pairs; }      // [pairs]

  static const rotation_table instance;  // the only one needed
};
template <class Positions, int Rows, int HeadDim>
inline const rotation_table<Positions, Rows, HeadDim> rotation_table<Positions, Rows, HeadDim>::instance{};

}  // namespace trm
