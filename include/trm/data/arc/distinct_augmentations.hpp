// SPDX-License-Identifier: MIT
// Which augmentations of a task give the same puzzle: the published test of content, without building the grids.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"

namespace trm::arc {

/// A set of augmentations of one task in which no two give the same content: the same pairs of grids, in whatever
/// order and split. That is exact. The published builder hashes every grid of every puzzle. Here a hash that is linear
/// in the colours answers most questions: with w the weights of the cells and m those of the colours it is
///   sum over cells of w[cell] m[colour of the cell] = sum over colours c of m[map[c]] (sum of w over cells of colour c),
/// and the inner sums are those of the task under each of the eight symmetries, computed once. Where two hashes are
/// equal the grids are compared.
class distinct_augmentations {
 public:
  /// Requires the outputs of all test inputs. `t` is not copied and must outlive this.
  explicit distinct_augmentations(const task& t) {
    for (const auto* examples : {&t.train, &t.test}) {
      for (const example& pair : *examples) pairs_.push_back(&pair);
    }
    for (int transform = 0; transform < dihedral_transforms; ++transform) {
      auto& sums = sums_[static_cast<std::size_t>(transform)];
      for (const example* pair : pairs_)
        sums.push_back({sums_of(pair->input, transform), sums_of(*pair->output, transform)});
    }
    for (const example* pair : pairs_) {
      for (const grid* g : {&pair->input, &*pair->output}) {
        for (const std::uint8_t cell : g->cells()) present_[cell] = true;
      }
    }
  }

  /// False where one of the same content is there already.
  bool insert(const augmentation& how) {
    if (!keys_.insert(key(how)).second) return false;
    const auto [first, last] = known_.equal_range(hash(how));
    if (first != last) {
      const std::vector<std::string> here = content(how);
      if (std::any_of(first, last, [&](const auto& entry) { return content(entry.second) == here; })) return false;
    }
    known_.emplace(hash(how), how);
    return true;
  }

 private:
  using colour_sums = std::array<std::uint64_t, colour_count>;

  /// A bijection of 64 bits in which every bit of the result depends on all of `x` (splitmix64, Steele et al. 2014).
  static constexpr std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
  }

  static colour_sums sums_of(const grid& source, int transform) {
    const grid g = dihedral(source, transform);
    const auto sides = static_cast<std::uint64_t>(g.rows() * 32 + g.columns()) << 32;
    colour_sums sums{};
    for (std::size_t i = 0; i < g.size(); ++i) sums[g.cells()[i]] += mix(sides + i);
    return sums;
  }

  /// Alike where the transform and the images of all colours that occur are: then the content is the same.
  std::uint64_t key(const augmentation& how) const {
    auto word = static_cast<std::uint64_t>(how.transform);
    for (std::size_t c = 0; c < present_.size(); ++c) word = word << 4 | (present_[c] ? how.colours[c] : 15u);
    return word;
  }

  std::uint64_t hash(const augmentation& how) const {
    std::array<std::uint64_t, colour_count> weights{};
    for (std::size_t c = 0; c < weights.size(); ++c) weights[c] = mix(~std::uint64_t{how.colours[c]});
    const auto of = [&](const colour_sums& sums) {
      std::uint64_t all = 0;
      for (std::size_t c = 0; c < sums.size(); ++c) all += sums[c] * weights[c];
      return all;
    };
    std::uint64_t all = 0;  // a sum: the order of the pairs does not matter
    for (const auto& [input, output] : sums_[static_cast<std::size_t>(how.transform)]) {
      all += mix(mix(of(input)) + of(output));
    }
    return all;
  }

  /// The pairs, sorted.
  std::vector<std::string> content(const augmentation& how) const {
    std::vector<std::string> all;
    for (const example* pair : pairs_) {
      std::string bytes;
      for (const grid* source : {&pair->input, &*pair->output}) {
        const grid g = how.apply(*source);
        bytes += static_cast<char>(g.rows());
        bytes += static_cast<char>(g.columns());
        bytes.append(reinterpret_cast<const char*>(g.cells().data()), g.size());
      }
      all.push_back(std::move(bytes));
    }
    std::ranges::sort(all);
    return all;
  }

  std::vector<const example*> pairs_;
  std::array<std::vector<std::pair<colour_sums, colour_sums>>, dihedral_transforms> sums_;
  std::array<bool, colour_count> present_{};
  std::unordered_set<std::uint64_t> keys_;
  std::unordered_multimap<std::uint64_t, augmentation> known_;
};

}  // namespace trm::arc
