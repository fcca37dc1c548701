// SPDX-License-Identifier: MIT
// What the compiler knows of the published models: FLOPs, parameters, memory.
#include "trm/models/plan.hpp"

#include <doctest/doctest.h>

namespace {

constexpr trm::config arc{.tokens = 900,
                          .vocab = 12,
                          .hidden = 512,
                          .heads = 8,
                          .h_cycles = 3,
                          .l_cycles = 4,
                          .puzzle_positions = 16,
                          .puzzle_width = 512};
constexpr trm::config sudoku{.tokens = 81,
                             .vocab = 11,
                             .hidden = 512,
                             .heads = 8,
                             .h_cycles = 3,
                             .l_cycles = 6,
                             .puzzle_positions = 16,
                             .puzzle_width = 512};
constexpr trm::config sudoku_mixer = [] {
  trm::config c = sudoku;
  c.mixing = trm::mixing_kind::tokens;
  c.positions = trm::position_kind::none;
  return c;
}();

/// FLOPs of a training step by the field's convention (matrix products and attention; the gradient twice the forward
/// pass of the cycle that has one): T * layers * [H(L+1) + 2(L+1)] * (lin + 4TD) + 6DVS, lin = 2(4D^2 + 3DI).
constexpr double convention(const trm::config& c) {
  const double T = c.length(), D = c.hidden, I = trm::swiglu_width(c.expansion, c.hidden), H = c.h_cycles,
               L = c.l_cycles;
  const double lin = 2 * (4 * D * D + 3 * D * I);
  return T * c.layers * (H * (L + 1) + 2 * (L + 1)) * (lin + 4 * T * D) + 6 * D * c.vocab * c.tokens;
}
/// The Q head, forward and both gradients, which the convention leaves out.
constexpr double q_head(const trm::config& c) { return 3 * 2.0 * 2 * c.hidden; }

template <trm::config C>
constexpr double step_flops = trm::count_training_step<trm::model<C>>(1).flops();

static_assert(step_flops<arc> == convention(arc) + q_head(arc));
static_assert(step_flops<sudoku> == convention(sudoku) + q_head(sudoku));
static_assert(static_cast<int>(convention(arc) / 1e9 + 0.5) == 398);
static_assert(static_cast<int>(convention(sudoku) / 1e9 + 0.5) == 48);

// The mixer: two products of width `inner` over T rows of D channels in place of attention and its projections.
constexpr double mixer_convention(const trm::config& c) {
  const double T = c.length(), D = c.hidden, I = trm::swiglu_width(c.expansion, c.hidden),
               It = trm::swiglu_width(c.expansion, c.length());
  const double block = T * 2 * 3 * D * I + D * 2 * 3 * T * It;
  return c.layers * (c.h_cycles + 2) * (c.l_cycles + 1) * block + 6 * D * c.vocab * c.tokens;
}
static_assert(static_cast<int>(mixer_convention(sudoku_mixer) / 1e9 + 0.5) == 43);
static_assert(step_flops<sudoku_mixer> == mixer_convention(sudoku_mixer) + q_head(sudoku_mixer));

// Twice the batch, twice the work; a step without a gradient is the forward pass alone.
static_assert(trm::count_training_step<trm::model<sudoku>>(2).flops() == 2 * step_flops<sudoku>);
static_assert(trm::count_inference_step<trm::model<sudoku>>(1).flops() ==
              97.0 * 2 * (3 * 7) * (2.0 * (4 * 512 * 512 + 3 * 512 * 1536) + 4 * 97 * 512) + 2.0 * 512 * 11 * 81 +
                  2.0 * 2 * 512);
static_assert(trm::plan<trm::model<sudoku>>(32).flops == 32 * step_flops<sudoku>);
static_assert(trm::plan<trm::model<sudoku>>(32, 8).flops == 32 * step_flops<sudoku>);

// Parameters as published: ARC has 6,829,058 besides the puzzle table.
static_assert(trm::model<arc>::parameter_count == 6829058);
static_assert(trm::model<sudoku>::parameter_count == 6829058 - 2 * 512);  // one word fewer, in and out
static_assert(trm::model<sudoku_mixer>::parameter_count < trm::model<sudoku>::parameter_count);
static_assert(trm::model<sudoku_mixer>::parameter_count ==
              2 * 11 * 512 + 2 * 512 + 2 + 2 * (3 * 97 * 512 + 3 * 512 * 1536));

template <trm::config C>
using m = trm::model<C>;

// The plan only grows with the batch, and only its parts that depend on the batch do.
static_assert(trm::plan<m<sudoku>>(2).total() > trm::plan<m<sudoku>>(1).total());
static_assert(trm::plan<m<sudoku>>(8, 4).total() > trm::plan<m<sudoku>>(8, 2).total());
static_assert(trm::plan<m<sudoku>>(8, 8).total() == trm::plan<m<sudoku>>(8).total());
static_assert(trm::plan<m<sudoku>>(8, 4).carry == trm::plan<m<sudoku>>(8).carry);
static_assert(trm::plan<m<sudoku>>(64).parameters == trm::plan<m<sudoku>>(1).parameters);
static_assert(trm::plan<m<sudoku>>(8).activations == 8 * trm::plan<m<sudoku>>(1).activations);
static_assert(trm::plan<m<sudoku>>(8).carry == 8 * 2 * sizeof(float) * 97 * 512);  // two states
static_assert(trm::plan<m<sudoku>>(1).moments == 2 * trm::plan<m<sudoku>>(1).parameters);
static_assert(trm::inference_plan<m<sudoku>>(1).total() < trm::plan<m<sudoku>>(1).total());
static_assert(trm::plan<m<arc>>(1).activations > trm::plan<m<sudoku>>(1).activations);

// bf16 halves the activations (norm and softmax statistics stay float32) and leaves the master weights.
using half = trm::model<sudoku, trm::bf16>;
static_assert(trm::plan<half>(8).carry * 2 == trm::plan<m<sudoku>>(8).carry);
static_assert(trm::plan<half>(8).activations < 0.52 * trm::plan<m<sudoku>>(8).activations);
static_assert(trm::plan<half>(8).parameters == trm::plan<m<sudoku>>(8).parameters);

constexpr trm::config with(trm::config c, int h, int l) {
  c.h_cycles = h, c.l_cycles = l;
  return c;
}
// Cycles without a gradient cost no memory; those within the last cycle do.
static_assert(trm::plan<m<with(sudoku, 9, 6)>>(1).total() == trm::plan<m<sudoku>>(1).total());
static_assert(trm::plan<m<with(sudoku, 3, 7)>>(1).activations > trm::plan<m<sudoku>>(1).activations);
static_assert(trm::inference_plan<m<with(sudoku, 9, 12)>>(1).total() == trm::inference_plan<m<sudoku>>(1).total());

}  // namespace

TEST_CASE("the plan of a published model is a constant") {
  constexpr trm::memory_plan p = trm::plan<m<arc>>(8);
  CHECK(p.total() > 0);
}
