// SPDX-License-Identifier: MIT
// Training order: groups shuffled anew for each epoch, one random puzzle of each group, its examples without
// replacement.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/random.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/example_source.hpp"

namespace trm {

/// Where a sampler is: all of its state.
struct sampler_state {
  std::uint64_t iteration = 0;  // passes over one source that were finished
  std::uint64_t position = 0;   // groups taken in the current pass
  friend bool operator==(const sampler_state&, const sampler_state&) = default;
};

/// What decides which examples a sampler takes, and in which order.
struct sampling {
  std::uint64_t seed = 0;                 // of the order of groups, and of the puzzle and example drawn from each
  std::int32_t batch = 0;                 // global: over all shards
  std::int64_t epochs_per_iteration = 1;  // epochs that are concatenated before a partial batch is dropped
  shard part{};                           // which part of every batch this process takes
};

/// The published sampling (puzzle_dataset.py), with counter-based random numbers. A pass goes over one source (one
/// set of one data path, each in turn): it concatenates the group orders of `epochs_per_iteration` epochs and walks
/// them; of each group it takes one puzzle at random, and of that puzzle random examples without replacement until
/// the batch is full: what remains of that puzzle is discarded. The partial batch at the end of a pass is dropped.
/// Every draw is a function of (seed, pass, position), so restoring sampler_state continues with the same batches,
/// and all shards of a batch agree without talking. Nothing is allocated after construction.
template <example_source Source>
class group_sampler {
 public:
  /// `sources` are not copied. Throws trm::error where a source cannot fill a batch within an iteration.
  group_sampler(std::span<const Source> sources, std::int32_t seq_len, const sampling& how)
      : sources_(sources), seq_len_(seq_len), how_(how) {
    if (sources.empty()) throw error("sampler", "no data");
    if (how.batch < 1 || how.epochs_per_iteration < 1 || seq_len < 1) {
      throw error("sampler", "batch, epochs_per_iteration and seq_len must be positive");
    }
    if (how.part.count < 1 || how.part.index < 0 || how.part.index >= how.part.count ||
        how.batch % how.part.count != 0) {
      throw error("sampler", "the batch of " + std::to_string(how.batch) +
                                 " must be a multiple of the number of processes, " + std::to_string(how.part.count));
    }
    std::int64_t most_groups = 0, most_rows = 0;
    for (const Source& s : sources) {
      most_groups = std::max<std::int64_t>(most_groups, s.groups());
      most_rows = std::max(most_rows, largest_puzzle(s));
    }
    order_.resize(static_cast<std::size_t>(most_groups));
    identity_.resize(static_cast<std::size_t>(most_rows));
    for (std::size_t i = 0; i < identity_.size(); ++i) identity_[i] = static_cast<std::int64_t>(i);
    swapped_.resize(std::min(identity_.size(), static_cast<std::size_t>(how.batch)));
    picks_.reserve(static_cast<std::size_t>(how.batch));
    shuffle();
  }

  /// Fills this process's part of the next batch. There is always a next one: the caller counts steps (training_steps).
  void next(const batch_view& out) {
    const std::size_t local = static_cast<std::size_t>(how_.batch / how_.part.count);
    const std::size_t tokens = static_cast<std::size_t>(seq_len_);
    if (out.inputs.size() != local * tokens || out.labels.size() != local * tokens ||
        out.puzzle_identifiers.size() != local) {
      throw error("sampler",
                  "the batch given has another size than " + std::to_string(local) + " x " + std::to_string(seq_len_));
    }
    // A source that can fill a batch may by chance fail to; that it always does means that it holds too few examples.
    constexpr int patience = 1000;
    for (std::size_t passes = 0; !collect(); ++passes) {
      if (passes > patience * sources_.size())
        throw error("sampler", "an iteration holds less than one batch: raise epochs_per_iteration");
      ++state_.iteration;
      state_.position = 0;
      shuffle();
    }
    const std::size_t first = static_cast<std::size_t>(how_.part.index) * local;
    for (std::size_t i = 0; i < local; ++i) {
      const pick p = picks_[first + i];
      source().read(p.row, out.inputs.data() + i * tokens, out.labels.data() + i * tokens);
      out.puzzle_identifiers[i] = source().puzzle_identifier(p.puzzle);
    }
  }

  sampler_state state() const { return state_; }  // where the sampler is, to be written to a checkpoint
  /// The next batch will be the one that followed when state() was taken, given the same data, seed, batch and
  /// epochs_per_iteration.
  void restore(const sampler_state& s) {
    const sampler_state before = std::exchange(state_, s);
    if (s.position > static_cast<std::uint64_t>(length())) {
      state_ = before;
      throw error("sampler", "position " + std::to_string(s.position) +
                                 " is beyond the end of an iteration: was the state saved with other data?");
    }
    shuffle();
  }

 private:
  struct pick {
    std::int64_t row, puzzle;
  };

  const Source& source() const { return sources_[state_.iteration % sources_.size()]; }
  std::int64_t length() const { return source().groups() * how_.epochs_per_iteration; }
  draws drawing(purpose what, std::uint64_t row) const {
    return philox{how_.seed}.at(what, state_.iteration, static_cast<std::uint32_t>(row));
  }

  std::int64_t largest_puzzle(const Source& s) const {
    std::int64_t most = 0;
    double capacity = 0;
    for (std::int64_t g = 0; g < s.groups(); ++g) {
      const std::int64_t here = longest_puzzle(s, g);
      most = std::max(most, here);
      capacity += static_cast<double>(here);
    }
    capacity *= static_cast<double>(how_.epochs_per_iteration);
    if (capacity < how_.batch) {
      throw error("sampler",
                  "an iteration of " + std::to_string(how_.epochs_per_iteration) + " epochs over a set holds at most " +
                      std::to_string(static_cast<std::int64_t>(capacity)) + " examples, less than one batch of " +
                      std::to_string(how_.batch) + ": raise epochs_per_iteration");
    }
    constexpr std::int64_t limit = std::numeric_limits<std::uint32_t>::max();
    if (s.groups() > limit || how_.epochs_per_iteration > limit / s.groups()) {
      throw error("sampler", "groups * epochs_per_iteration must be below 2^32: lower epochs_per_iteration");
    }
    return most;
  }

  /// The order of the groups in the epoch of state_.position.
  void shuffle() {
    const auto groups = static_cast<std::size_t>(source().groups());
    permutation(drawing(purpose::group_order, state_.position / groups), std::span(order_.data(), groups));
  }

  /// Takes groups until a batch is full; false where the pass ends before.
  bool collect() {
    const auto groups = static_cast<std::uint64_t>(source().groups()), end = static_cast<std::uint64_t>(length());
    const auto batch = static_cast<std::size_t>(how_.batch);
    picks_.clear();
    while (picks_.size() < batch && state_.position < end) {
      const std::uint64_t at = state_.position++;
      const index_range puzzles = source().puzzles_of(order_[static_cast<std::size_t>(at % groups)]);
      const auto choice = drawing(purpose::puzzle_choice, at).below(static_cast<std::uint64_t>(puzzles.size()));
      take_examples(puzzles.first + static_cast<std::int64_t>(choice), at, batch);
      if (state_.position % groups == 0 && state_.position < end) shuffle();
    }
    return picks_.size() == batch;
  }

  /// Random rows of a puzzle, without replacement: the beginning of a Fisher-Yates shuffle, undone afterwards.
  void take_examples(std::int64_t puzzle, std::uint64_t at, std::size_t batch) {
    const index_range rows = source().rows_of(puzzle);
    const auto size = static_cast<std::size_t>(rows.size());
    const std::size_t count = std::min(size, batch - picks_.size());
    const draws choice = drawing(purpose::example_choice, at);
    for (std::size_t i = 0; i < count; ++i) {
      swapped_[i] = i + static_cast<std::size_t>(choice.below(size - i, i));
      std::swap(identity_[i], identity_[swapped_[i]]);
      picks_.push_back({rows.first + identity_[i], puzzle});
    }
    for (std::size_t i = count; i-- > 0;) std::swap(identity_[i], identity_[swapped_[i]]);
  }

  std::span<const Source> sources_;
  std::int32_t seq_len_;
  sampling how_;
  sampler_state state_;
  std::vector<std::uint32_t> order_;    // of the groups in the current epoch
  std::vector<std::int64_t> identity_;  // 0, 1, 2, ... between calls of take_examples
  std::vector<std::size_t> swapped_;
  std::vector<pick> picks_;  // the global batch
};

}  // namespace trm
