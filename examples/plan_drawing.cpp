// SPDX-License-Identifier: MIT
// Draws the memory plan of the published ARC model as SVG, every byte of it known to the compiler. docs/images/memory_plan.svg is
// what it prints.
#include <cstdio>

#include "trm/core/bf16.hpp"
#include "trm/models/plan.hpp"

namespace {

constexpr trm::config arc{.tokens = 900,
                          .vocab = 12,
                          .hidden = 512,
                          .heads = 8,
                          .h_cycles = 3,
                          .l_cycles = 4,
                          .puzzle_positions = 16,
                          .puzzle_width = 512};
using model = trm::model<arc, trm::bf16>;
constexpr int batch = 32, micro_batch = 4;
constexpr trm::memory_plan training = trm::plan<model>(batch, micro_batch),
                           answering = trm::inference_plan<model>(batch);
constexpr std::size_t saved = micro_batch * trm::sample_bytes<model::core::saved>();
static_assert(saved < training.activations);

constexpr double mib(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

constexpr int left = 268, row_height = 24;  // pixels
constexpr double pixels_per_mib = 0.92;
int y = 0;

void heading(const char* text) {
  y += 12;
  std::printf("<text class=\"h\" x=\"8\" y=\"%d\">%s</text>\n", y + 16, text);
  y += row_height;
}
/// A bar in MiB; `colour` is a class of the style below.
void bar(const char* name, const char* colour, std::size_t bytes) {
  const double width = mib(bytes) * pixels_per_mib;
  std::printf("<text x=\"20\" y=\"%d\">%s</text><rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"16\"/>",
              y + 16, name, colour, left, y + 4, width < 1 ? 1 : width);
  std::printf("<text class=\"n\" x=\"%.1f\" y=\"%d\">%.1f</text>\n", left + width + 6, y + 16, mib(bytes));
  y += row_height;
}
void total(const char* what, std::size_t bytes, double flops) {
  std::printf(
      "<text class=\"t\" x=\"20\" y=\"%d\">%s</text><text class=\"t\" x=\"%d\" y=\"%d\">%.1f MiB; a step is %.0f "
      "GFLOP</text>\n",
      y + 16, what, left, y + 16, mib(bytes), flops / 1e9);
  y += row_height;
}

}  // namespace

int main() {
  constexpr int height = 404;
  std::printf(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 %d\" width=\"800\" height=\"%d\" role=\"img\" "
      "aria-label=\"Memory of the published ARC model, in MiB\" font-family=\"sans-serif\" font-size=\"13\">\n",
      height, height);
  std::printf("<!-- The output of examples/plan_drawing.cpp -->\n");
  std::printf(
      "<style>text{fill:#1b2430}.h,.t{font-weight:bold}.n{fill:#57606a}.w{fill:#1d63a8}.s{fill:#7a4fb5}.b{fill:#2d8659}"
      ".m{fill:#c2691c}.k{fill:#e3a86b}.bg{fill:#fff}\n@media "
      "(prefers-color-scheme:dark){text{fill:#e8edf3}.n{fill:#9aa4b0}"
      ".bg{fill:#14181d}.w{fill:#5b9bd8}.s{fill:#a98be0}.b{fill:#5fb58a}.m{fill:#e08e45}.k{fill:#a8713a}}</style>\n");
  std::printf("<rect class=\"bg\" width=\"800\" height=\"%d\"/>\n", height);
  heading("Training: 32 samples a step, 4 at a time, bf16");
  bar("parameters", "w", training.parameters);
  bar("gradients", "w", training.gradients);
  bar("moments of the optimizer", "w", training.moments);
  bar("average (EMA)", "w", training.ema);
  bar("carry: the states of 32 samples", "s", training.carry);
  bar("the carry before the step (undo)", "s", training.undo);
  bar("outputs: logits and Q of 32 samples", "b", training.outputs);
  bar("saved for the gradient, 4 samples", "m", saved);
  bar("scratch and boundaries, 4 samples", "k", training.activations - saved);
  total("together", training.total(), training.flops);
  heading("Answering: 32 samples");
  bar("parameters", "w", answering.parameters);
  bar("carry and outputs", "s", answering.carry + answering.outputs);
  bar("scratch", "k", answering.activations);
  total("together", answering.total(), answering.flops);
  std::printf("</svg>\n");
}
