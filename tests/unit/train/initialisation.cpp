// SPDX-License-Identifier: MIT
// The published initialisation, by its statistics.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "trm/models/model.hpp"
#include "trm/optim/puzzle_table.hpp"
#include "trm/train/weights.hpp"

namespace {

constexpr trm::config described{.tokens = 30,
                                .vocab = 24,
                                .hidden = 128,
                                .heads = 4,
                                .puzzle_positions = 2,
                                .puzzle_width = 128,
                                .positions = trm::position_kind::learned};
using model = trm::model<described>;

/// A normal cut off at two standard deviations, widened back to `std`: no draw lies farther out than this.
constexpr double farthest = 2 / 0.87962566103423978;

struct statistics {
  double mean = 0, std = 0, largest = 0;
};
statistics of(std::span<const float> v) {
  statistics s;
  for (float x : v) s.mean += static_cast<double>(x), s.largest = std::max(s.largest, std::abs(static_cast<double>(x)));
  s.mean /= static_cast<double>(v.size());
  for (float x : v) s.std += std::pow(static_cast<double>(x) - s.mean, 2);
  s.std = std::sqrt(s.std / static_cast<double>(v.size()));
  return s;
}

trm::weights<model> initialised(std::uint64_t seed) {
  trm::weights<model> w;
  w.initialise(seed);
  return w;
}

}  // namespace

TEST_CASE("standard deviations, means and bounds") {
  auto w = initialised(3);
  w.each([](const trm::parameter_entry& e, std::span<float> v) {
    const std::string name(e.name());
    if (name.find("q_head") != std::string::npos) return;
    const bool state = name.find("_init") != std::string::npos, embedding = name.find("embed_") != std::string::npos;
    const double fan_in = e.extents[e.rank - 1];
    const double wanted = state ? 1 : embedding ? 1 / std::sqrt(128.0) : 1 / std::sqrt(fan_in);
    const statistics s = of(v);
    const double n = static_cast<double>(v.size());
    INFO(name, ": std ", s.std, ", wanted ", wanted, "; mean ", s.mean, "; largest ", s.largest);
    CHECK(std::abs(s.std - wanted) <
          wanted * 4 * 0.6 / std::sqrt(n));  // 4 standard errors; those of a cut-off normal are below 0.6 / sqrt(n)
    CHECK(std::abs(s.mean) < wanted * 4 / std::sqrt(n));
    CHECK(s.largest <= wanted * farthest * 1.000001);
    if (n > 3000) CHECK(s.largest > wanted * farthest * 0.98);  // and the draws come near it
  });
}

TEST_CASE("the Q head begins at no, whatever it sees") {
  auto w = initialised(3);
  for (float x : w["model.inner.q_head.weight"]) CHECK(x == 0);
  const auto bias = w["model.inner.q_head.bias"];
  REQUIRE(bias.size() == 2);
  CHECK(bias[0] == -5);
  CHECK(bias[1] == -5);
}

TEST_CASE("puzzle rows begin at zero") {
  const trm::puzzle_table<float> table(10, 7, 2);
  CHECK(std::all_of(table.data(), table.data() + 70, [](float x) { return x == 0; }));
}

TEST_CASE("a function of the seed") {
  const auto a = initialised(3), again = initialised(3), other = initialised(4);
  CHECK(std::equal(a.parameters(), a.parameters() + model::extent, again.parameters()));
  CHECK(std::equal(a.constants(), a.constants() + model::constant_extent, again.constants()));
  a.each([&](const trm::parameter_entry& e, std::span<const float> v) {
    if (std::string(e.name()).find("q_head") != std::string::npos) return;
    const float* base =
        trm::weights<model>::find(model::table, e.name()) != nullptr ? other.parameters() : other.constants();
    CHECK_FALSE(std::equal(v.begin(), v.end(), base + e.offset));
  });
}

TEST_CASE("every tensor has draws of its own") {
  auto w = initialised(3);
  std::set<float> first;
  int tensors = 0;
  w.each([&](const trm::parameter_entry& e, std::span<float> v) {
    if (std::string(e.name()).find("q_head") != std::string::npos) return;
    const double std = std::string(e.name()).find("_init") != std::string::npos
                           ? 1
                           : 1 / std::sqrt(static_cast<double>(e.extents[e.rank - 1]));
    first.insert(static_cast<float>(std::round(v[0] / std * 1e4)));
    ++tensors;
  });
  CHECK(static_cast<int>(first.size()) == tensors);
}

TEST_CASE("the space between tensors is zero") {
  auto w = initialised(3);
  std::size_t used = 0, zeros = 0;
  for (std::size_t t = 0; t < model::table.size(); ++t) {
    const auto& e = model::table[t];
    const std::size_t end = t + 1 < model::table.size() ? model::table[t + 1].offset : model::extent;
    for (std::size_t i = e.offset + e.count; i < end; ++i) zeros += w.parameters()[i] == 0, ++used;
  }
  CHECK(used == zeros);
  CHECK(used == model::extent - model::parameter_count);
}
