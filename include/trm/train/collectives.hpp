// SPDX-License-Identifier: MIT
// What processes do together: broadcast, gather, and sums whose bits do not depend on who adds.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "trm/core/buffer.hpp"
#include "trm/core/error.hpp"
#include "trm/train/communicator.hpp"

namespace trm {

/// The collectives over a communicator, which must outlive them. The constructor takes the memory, none of the operations but
/// gather_each allocates.
template <communicator Communicator>
class collectives {
 public:
  /// `sum_bytes`: how much is summed at a time, and taken here for it. 0 where nothing will be summed.
  explicit collectives(Communicator& c, std::size_t sum_bytes = 0)
      : communicator_(c), received_(c.size() == 1 ? 0 : sum_bytes), flags_(static_cast<std::size_t>(c.size())) {
    out_.reserve(flags_.size());
    in_.reserve(flags_.size());
  }

  int rank() const { return communicator_.rank(); }    // of this process, 0 .. size() - 1
  int size() const { return communicator_.size(); }    // processes
  Communicator& processes() { return communicator_; }  // the communicator

  /// Returns when all have called it.
  void barrier() { any(false); }

  /// All get the bytes of process `root`.
  template <class T>
  void broadcast(std::span<T> values, int root = 0) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (size() == 1 || values.empty()) return;
    begin();
    if (rank() == root) {
      each_other([&](int r) { out_.push_back({r, std::as_bytes(values)}); });
    } else {
      in_.push_back({root, std::as_writable_bytes(values)});
    }
    communicator_.exchange(out_, in_);
  }

  /// `all` [size() * n]: the n values of every process, in the order of ranks. Those of this process are there already, or in `mine`.
  template <class T>
  void gather(std::span<T> all) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (size() == 1 || all.empty()) return;
    const std::size_t n = all.size() / static_cast<std::size_t>(size());
    begin();
    each_other([&](int r) {
      out_.push_back({r, std::as_bytes(all.subspan(static_cast<std::size_t>(rank()) * n, n))});
      in_.push_back({r, std::as_writable_bytes(all.subspan(static_cast<std::size_t>(r) * n, n))});
    });
    communicator_.exchange(out_, in_);
  }
  template <class T>
  void gather(std::type_identity_t<std::span<const T>> mine, std::span<T> all) {
    std::copy(mine.begin(), mine.end(), all.begin() + static_cast<std::ptrdiff_t>(mine.size()) * rank());
    gather(all);
  }

  /// The same for process 0 alone; `all` of the others is left as it is and may be empty.
  template <class T>
  void collect(std::type_identity_t<std::span<const T>> mine, std::span<T> all) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (rank() == 0) std::copy(mine.begin(), mine.end(), all.begin());
    if (size() == 1 || mine.empty()) return;
    begin();
    if (rank() != 0) {
      out_.push_back({0, std::as_bytes(mine)});
    } else {
      each_other([&](int r) {
        const auto theirs = all.subspan(static_cast<std::size_t>(r) * mine.size(), mine.size());
        in_.push_back({r, std::as_writable_bytes(theirs)});
      });
    }
    communicator_.exchange(out_, in_);
  }

  /// What every process says, of any length, in the order of ranks.
  std::vector<std::string> gather_each(const std::string& mine) {
    std::vector<std::uint64_t> lengths(static_cast<std::size_t>(size()));
    lengths[static_cast<std::size_t>(rank())] = mine.size();
    gather(std::span(lengths));
    std::vector<std::string> all(lengths.size());
    begin();
    each_other([&](int r) {
      std::string& theirs = all[static_cast<std::size_t>(r)];
      theirs.resize(lengths[static_cast<std::size_t>(r)]);
      if (!mine.empty()) out_.push_back({r, std::as_bytes(std::span(mine))});
      if (!theirs.empty()) in_.push_back({r, std::as_writable_bytes(std::span(theirs))});
    });
    communicator_.exchange(out_, in_);
    all[static_cast<std::size_t>(rank())] = mine;
    return all;
  }

  /// Whether one of them says yes.
  bool any(bool mine) {
    if (size() == 1) return mine;
    flags_[static_cast<std::size_t>(rank())] = mine ? 1 : 0;
    gather(std::span(flags_));
    return std::any_of(flags_.begin(), flags_.end(), [](unsigned char f) { return f != 0; });
  }

  /// values[i] = ((v0 + v1) + v2) + ... of the processes 0, 1, 2, ..., everywhere the same bits. Each process adds 1/size() of
  /// it, so that each sends and receives 2 (size() - 1) / size() times the values. `values` has the same length everywhere.
  template <class T>
  void sum_in_order(std::span<T> values) {
    static_assert(std::is_floating_point_v<T>);
    if (size() == 1) return;
    const std::size_t at_once = received_.size() / sizeof(T) / static_cast<std::size_t>(size());
    if (at_once == 0) throw error("collectives", "made without memory to sum in");
    for (std::size_t first = 0; first < values.size(); first += at_once * static_cast<std::size_t>(size())) {
      sum_part(values.subspan(first, std::min(at_once * static_cast<std::size_t>(size()), values.size() - first)));
    }
  }

 private:
  void begin() { out_.clear(), in_.clear(); }
  /// Beginning behind this rank, so that not all send to rank 0 first.
  template <class F>
  void each_other(F f) const {
    for (int i = 1; i < size(); ++i) f((rank() + i) % size());
  }
  template <class T>
  void sum_part(std::span<T> values) {
    const auto n = static_cast<std::size_t>(size());
    const auto slice = [&](int r) {
      const auto k = static_cast<std::size_t>(r);
      const std::size_t from = values.size() * k / n;
      return values.subspan(from, values.size() * (k + 1) / n - from);
    };
    const std::span<T> mine = slice(rank());
    const std::size_t stride = (values.size() + n - 1) / n;
    const auto theirs = [&](int r) {
      return std::span<T>(received_.template as<T>() + static_cast<std::size_t>(r) * stride, mine.size());
    };
    begin();
    each_other([&](int r) {
      if (!slice(r).empty()) out_.push_back({r, std::as_bytes(slice(r))});
      if (!mine.empty()) in_.push_back({r, std::as_writable_bytes(theirs(r))});
    });
    communicator_.exchange(out_, in_);
    add_in_order(mine, theirs);
    begin();
    each_other([&](int r) {
      if (!mine.empty()) out_.push_back({r, std::as_bytes(mine)});
      if (!slice(r).empty()) in_.push_back({r, std::as_writable_bytes(slice(r))});
    });
    communicator_.exchange(out_, in_);
  }
  template <class T, class Theirs>
  void add_in_order(std::span<T> mine, const Theirs& theirs) const {
    const std::span<T> sum = rank() == 0 ? mine : theirs(0);
    for (int r = 1; r < size(); ++r) {
      const std::span<const T> next = r == rank() ? mine : theirs(r);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += next[i];
    }
    if (rank() != 0) std::copy(sum.begin(), sum.end(), mine.begin());
  }

  Communicator& communicator_;
  buffer received_;
  std::vector<outgoing> out_;
  std::vector<incoming> in_;
  std::vector<unsigned char> flags_;
};

/// How much a trainer sums at a time: large enough for full bandwidth, small beside a model.
inline constexpr std::size_t sum_bytes = std::size_t{8} << 20;

}  // namespace trm
