// SPDX-License-Identifier: MIT
// The description of a model: a structural value, usable as a template argument. Only what changes code is here.
#pragma once
#include "trm/core/activations.hpp"

namespace trm {

/// trm: two states (arXiv 2510.04871). single_state: one. six_state: six low-level states. hrm: two networks, one-step gradient
/// (arXiv 2506.21734). transformer: no recursion inside a step, the published baseline.
enum class architecture { trm, single_state, six_state, hrm, transformer };
/// What mixes positions. attention: self-attention. tokens: a SwiGLU along the token axis (the published mlp_t).
enum class mixing_kind { attention, tokens };
/// Which positions attention sees: bidirectional, all; causal, those up to its own; prefix, also all of the sample's
/// prefix.
enum class mask_kind { bidirectional, causal, prefix };
/// How a position is known. rope: queries and keys are rotated (arXiv 2104.09864), which concerns attention alone: with the token mixer
/// it is the same as none, as published. learned: a vector for each position, added to its embedding. none: not at all.
enum class position_kind { rope, learned, none };
/// Of the tokens: stablemax, cross-entropy of s(x) / sum s, s(x) = x + 1 for x >= 0, 1 / (1 - x) below; softmax, the
/// usual one.
enum class loss_kind { stablemax, softmax };
/// q_halt: halt when q_halt > 0. q_continue: halt when q_halt > q_continue, which is trained too. fixed: always all steps.
/// hrm always trains q_continue; transformer compares with q_continue without training it. Both as published.
enum class halting_kind { q_halt, q_continue, fixed };

/// A recursive reasoning model. A misspelt field is an error:
///   constexpr trm::config sudoku{.tokens = 81, .vocab = 11, .hidden = 512, .heads = 8};
struct config {
  int tokens = 0;  // S: the static maximum of the sequence, puzzle positions not counted
  int vocab = 0;   // V
  int hidden = 0;  // D
  int heads = 0;
  int layers = 2;                  // of the network
  int h_layers = 0;                // hrm: of its high-level network; 0: as many as `layers`
  int h_cycles = 3, l_cycles = 6;  // H, L of the recursion: H times { L low-level, one high-level }
  double expansion = 4;            // inner width of SwiGLU: 2/3 of it times the width, ...
  int width_multiple = 256;        // ... up to a multiple of this (published: 256; small models want less)
  int puzzle_positions = 0;        // P: positions before the tokens that hold the puzzle's row
  int puzzle_width = 0;            // the row's width, at most P * D; zero-padded to it
  trm::architecture architecture = trm::architecture::trm;  // which recursion
  mixing_kind mixing = mixing_kind::attention;              // what mixes positions
  mask_kind mask = mask_kind::bidirectional;                // of attention
  position_kind positions = position_kind::rope;            // how a position is told
  loss_kind loss = loss_kind::stablemax;                    // of the tokens
  halting_kind halting = halting_kind::q_halt;              // when a sample is done
  double rope_theta = 10000.0;                              // base of the rotation's angles
  double norm_epsilon = 1e-5;                               // eps of RMSNorm

  constexpr int length() const { return puzzle_positions + tokens; }  // T
};

namespace detail {

constexpr bool needs_heads(const config& c) { return c.mixing == mixing_kind::attention; }
constexpr bool heads_divide(const config& c) { return !needs_heads(c) || (c.heads > 0 && c.hidden % c.heads == 0); }

}  // namespace detail

/// Stands apart, so that one broken rule gives one message and nothing is instantiated from the configuration.
template <config C>
constexpr bool check() {
  static_assert(C.tokens > 0 && C.vocab > 0 && C.hidden > 0, "config: tokens, vocab and hidden must be given");
  static_assert(!detail::needs_heads(C) || C.heads > 0, "config: heads must be given");
  static_assert(C.heads <= 0 || detail::heads_divide(C), "config: hidden must be a multiple of heads");
  static_assert(C.positions != position_kind::rope || !detail::needs_heads(C) || !detail::heads_divide(C) ||
                    C.hidden / (C.heads > 0 ? C.heads : 1) % 2 == 0,
                "config: rope needs an even head width (hidden / heads)");
  static_assert(C.layers > 0 && C.h_layers >= 0 && C.h_cycles > 0 && C.l_cycles > 0,
                "config: layers, h_cycles and l_cycles must be positive");
  static_assert(C.expansion > 0 && C.width_multiple > 0, "config: expansion and width_multiple must be positive");
  static_assert(C.puzzle_positions >= 0 && C.puzzle_width >= 0 && (C.puzzle_width == 0) == (C.puzzle_positions == 0),
                "config: puzzle_width and puzzle_positions must both be 0 or both be positive");
  static_assert(C.puzzle_width <= C.puzzle_positions * C.hidden,
                "config: puzzle_width must fit in puzzle_positions * hidden");
  static_assert(C.mixing != mixing_kind::tokens || C.mask == mask_kind::bidirectional,
                "config: the token mixer sees every token, so its mask must be bidirectional");
  static_assert(C.architecture != architecture::six_state || C.l_cycles <= 6,
                "config: six_state has at most six l_cycles");
  static_assert(C.norm_epsilon > 0 && C.rope_theta > 0, "config: norm_epsilon and rope_theta must be positive");
  return C.tokens > 0 && C.vocab > 0 && C.hidden > 0 && detail::heads_divide(C) && C.layers > 0 && C.h_cycles > 0 &&
         C.l_cycles > 0;
}

}  // namespace trm
