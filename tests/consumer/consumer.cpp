// SPDX-License-Identifier: MIT
// A program of somebody else: the headers are found, a model is worked out, threads link, and the version is the one that
// the build names.
#include <cstdio>
#include <cstring>
#include <thread>

#include "trm/core/error.hpp"
#include "trm/models/plan.hpp"
#include "trm/version.hpp"

constexpr trm::config sorting{.tokens = 8, .vocab = 10, .hidden = 32, .heads = 2};
using model = trm::model<sorting>;
static_assert(trm::plan<model>(1).total() > model::parameter_count * sizeof(float));

int main(int argc, char** argv) {
  int seen = 0;
  std::thread([&seen] { seen = TRM_VERSION; }).join();
  try {
    if (argc != 2 || std::strcmp(argv[1], trm::version_string) != 0) throw trm::error("version", trm::version_string);
  } catch (const trm::error& e) {
    std::puts(e.what());
    return 1;
  }
  return seen == TRM_VERSION ? 0 : 1;
}
