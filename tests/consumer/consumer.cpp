// SPDX-License-Identifier: MIT
// A program of somebody else: the headers are found, threads link, and the version is the one that the build names.
#include <cstdio>
#include <cstring>
#include <thread>

#include "trm/core/error.hpp"
#include "trm/version.hpp"

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
