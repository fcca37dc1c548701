// SPDX-License-Identifier: MIT
// The published model for Sudoku with the token mixer.
#define DOCTEST_CONFIG_IMPLEMENT
#include "published.hpp"

#include <cstdio>

#include "../../examples/trm-sudoku/presets.hpp"

TEST_CASE("training and solving in bf16, at the published size") {
  trm_test::check_published<trm::model<trm_sudoku::paper(trm::mixing_kind::tokens), trm::bf16>>();
}

int main(int argc, char** argv) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
    std::puts("SKIPPED: no CUDA device");
    return 0;
  }
  return doctest::Context(argc, argv).run();
}
