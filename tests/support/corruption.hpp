// SPDX-License-Identifier: MIT
// Corrupted inputs for a reader: whatever comes out must be a value or a trm::error.
#pragma once
#include <doctest/doctest.h>

#include <cstddef>
#include <exception>
#include <random>
#include <string>

#include "trm/core/error.hpp"

namespace trm_test {

struct corruption_counts {
  int accepted = 0, refused = 0;
};

/// Gives `read` the valid bytes cut off at every length, with every byte changed in ten ways, with pieces removed,
/// doubled and exchanged, and `random_inputs` random strings (half of them behind the beginning of the valid bytes).
/// Fails the test where anything but a trm::error with a one-line message comes out.
template <class Read>
corruption_counts corrupt(const std::string& valid, Read read, int random_inputs = 2000) {
  corruption_counts counts;
  const auto attempt = [&](const std::string& bytes, const char* how, std::size_t where) {
    try {
      read(bytes);
      ++counts.accepted;
    } catch (const trm::error& e) {
      ++counts.refused;
      const std::string what = e.what();
      if (what.find('\n') != what.npos || what.empty())
        FAIL_CHECK(how << " at " << where << ": not one line: " << what);
    } catch (const std::exception& e) {
      FAIL_CHECK(how << " at " << where << ": " << e.what());
    }
  };
  for (std::size_t n = 0; n < valid.size(); ++n) attempt(valid.substr(0, n), "cut off", n);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    std::string bytes = valid;
    const auto original = static_cast<unsigned char>(valid[i]);
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(original ^ (1u << bit));
      attempt(bytes, "bit flipped", i);
    }
    for (const int value : {0x00, 0xff}) {
      bytes[i] = static_cast<char>(value);
      attempt(bytes, "byte set", i);
    }
  }
  std::mt19937 rng(1);
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : rng() % n; };
  for (int i = 0; i < random_inputs; ++i) {
    std::string bytes = valid;
    const std::size_t from = below(valid.size()), length = below(valid.size() - from);
    switch (i % 4) {
      case 0:
        bytes.erase(from, length);
        break;
      case 1:
        bytes.insert(below(valid.size()), valid, from, length);
        break;
      case 2:
        bytes.resize(from);
        [[fallthrough]];
      default:
        if (i % 4 == 3) bytes.clear();
        for (std::size_t n = below(200); n > 0; --n) bytes += static_cast<char>(rng());
    }
    attempt(bytes, "random", static_cast<std::size_t>(i));
  }
  return counts;
}

}  // namespace trm_test
