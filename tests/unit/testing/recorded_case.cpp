// SPDX-License-Identifier: MIT
// The example that runs a recorded case through the public interface, as a program is run.
#include <doctest/doctest.h>

#include <string>

#include "support/reference.hpp"

#define main recorded_case_main
#include "../../../examples/recorded_case.cpp"
#undef main

namespace {

int recorded_case(std::string path) {
  std::string name = "recorded-case";
  char* arguments[] = {name.data(), path.data(), nullptr};
  return recorded_case_main(2, arguments);
}

}  // namespace

TEST_CASE("the recorded case is computed to rounding, a carry that was set included") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_attention.safetensors")) return;
  CHECK(recorded_case((*trm_test::reference_dir() / "model/trm_attention.safetensors").string()) == 0);
  CHECK(worst < 1e-5);
}

TEST_CASE("a case of another configuration, a file of another kind and no file are refused") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_causal.safetensors")) return;
  CHECK(recorded_case((*trm_test::reference_dir() / "model/trm_causal.safetensors").string()) == 1);
  CHECK(recorded_case("no such file") == 1);
  char name[] = "recorded-case";
  char* none[] = {name, nullptr};
  CHECK(recorded_case_main(1, none) == 2);
}
