// SPDX-License-Identifier: MIT
// A model, a thread, and with the component io a document.
#include <cstring>
#include <thread>

#include "trm/models/plan.hpp"
#include "trm/version.hpp"
#if WITH_IO
#include "trm/io/json.hpp"
#endif

constexpr trm::config sorting{.tokens = 8, .vocab = 10, .hidden = 32, .heads = 2};
static_assert(trm::plan<trm::model<sorting>>(1).total() > 0);

int main() {
  if (std::strcmp(trm::version_string, EXPECTED_VERSION) != 0) return 1;
  int seen = 0;
  std::thread([&seen] { seen = TRM_VERSION; }).join();
#if WITH_IO
  if (trm::parse_json("{\"tokens\": 8}", "document").at("tokens").get<int>() != sorting.tokens) return 2;
#endif
  return seen == TRM_VERSION ? 0 : 3;
}
