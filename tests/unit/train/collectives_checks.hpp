// SPDX-License-Identifier: MIT
// What must hold of the collectives over any communicator.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "trm/core/random.hpp"
#include "trm/train/collectives.hpp"

namespace trm_test {

/// The values that rank `r` brings: normals of very different sizes, so that another order gives other bits.
template <class T>
std::vector<T> values_of_rank(int r, std::size_t n) {
  const trm::draws from = trm::philox{7}.at(trm::purpose::initialisation, static_cast<std::uint64_t>(r));
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = static_cast<T>(from.truncated_normal(1, i) *
                          static_cast<double>(1 << (i * 7 + static_cast<std::size_t>(r) * 5) % 20));
  }
  return v;
}

template <class T, class C>
void check_sums(C& c, std::size_t memory) {
  trm::collectives all(c, memory);
  // Fewer values than ranks, one piece, several pieces and a rest.
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{1000}, std::size_t{100003}}) {
    std::vector<T> expected = values_of_rank<T>(0, n);
    for (int r = 1; r < c.size(); ++r) {
      const auto next = values_of_rank<T>(r, n);
      for (std::size_t i = 0; i < n; ++i) expected[i] += next[i];
    }
    std::vector<T> mine = values_of_rank<T>(c.rank(), n);
    all.sum_in_order(std::span(mine));
    CHECK(mine == expected);
  }
}

template <class C>
void check_collectives(C& c) {
  check_sums<float>(c, 1 << 16);
  check_sums<double>(c, 1 << 20);
  check_sums<double>(c, sizeof(double) * static_cast<std::size_t>(c.size()));  // one value of each rank at a time

  trm::collectives all(c);
  CHECK(all.rank() == c.rank());
  for (int root = 0; root < c.size(); ++root) {
    std::vector<int> v(5, c.rank());
    all.broadcast(std::span(v), root);
    CHECK(v == std::vector<int>(5, root));
  }
  std::vector<int> ranks(static_cast<std::size_t>(2 * c.size()));
  const std::vector<int> two{10 * c.rank(), 10 * c.rank() + 1};
  all.gather(two, std::span(ranks));
  for (int i = 0; i < 2 * c.size(); ++i) CHECK(ranks[static_cast<std::size_t>(i)] == 10 * (i / 2) + i % 2);

  std::vector<int> at_first(c.rank() == 0 ? ranks.size() : 0);
  all.collect(two, std::span(at_first));
  CHECK(at_first == (c.rank() == 0 ? ranks : std::vector<int>()));

  // Rank 0 says nothing, the others each another length.
  const auto said =
      all.gather_each(std::string(static_cast<std::size_t>(c.rank() * 3), static_cast<char>('a' + c.rank())));
  REQUIRE(said.size() == static_cast<std::size_t>(c.size()));
  for (int r = 0; r < c.size(); ++r)
    CHECK(said[static_cast<std::size_t>(r)] ==
          std::string(static_cast<std::size_t>(r * 3), static_cast<char>('a' + r)));

  CHECK(!all.any(false));
  CHECK(all.any(c.rank() == c.size() - 1));
  all.barrier();
}

}  // namespace trm_test
