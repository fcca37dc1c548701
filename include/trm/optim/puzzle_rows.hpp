// SPDX-License-Identifier: MIT
// Puzzle rows to be read, wherever they lie: in a table, in a mapped file, and some more behind them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"

namespace trm {

/// A read-only view of [rows, width] numbers. Nothing is copied but the rows that are asked for, so a table of gigabytes in a
/// mapped file costs the pages that those rows lie on. What is viewed must outlive the view.
template <class Master>
class puzzle_rows {
 public:
  /// Reads `count` stored numbers at `from` (of any alignment) into `to`. Returns how many are fit for use: where it is less
  /// than `count`, the index of the first that is not.
  using reader = std::size_t (*)(const std::byte* from, std::size_t count, Master* to);

  puzzle_rows() = default;
  /// Numbers of the master type, row-major.
  puzzle_rows(const Master* data, std::size_t rows, std::size_t width)
      : puzzle_rows(reinterpret_cast<const std::byte*>(data), rows, width, sizeof(Master), copy, {}) {}
  /// Numbers of `stride` bytes each that `read` understands. `place` names where they are, for messages.
  puzzle_rows(const std::byte* data, std::size_t rows, std::size_t width, std::size_t stride, reader read,
              std::string place)
      : data_(data), rows_(rows), width_(width), stride_(stride), read_(read), place_(std::move(place)) {}

  /// These rows, and behind them `more` [n, width].
  puzzle_rows with(std::span<const Master> more) const {
    if (!more_.empty()) throw error("puzzle rows", "have rows behind them already");
    if (width_ == 0 || more.size() % width_ != 0) throw error("puzzle rows", "what is added must be whole rows");
    puzzle_rows all = *this;
    all.more_ = more;
    return all;
  }

  /// those of the table, and the new ones
  std::size_t rows() const { return width_ == 0 ? 0 : rows_ + more_.size() / width_; }
  std::size_t width() const { return width_; }  // of a row

  /// Throws where the rows are not the model's.
  void check_width(int wanted) const {
    if (width_ != static_cast<std::size_t>(wanted)) {
      throw error(place_.empty() ? "puzzle table" : place_,
                  "its rows have " + std::to_string(width_) + " numbers, the model's " + std::to_string(wanted));
    }
  }
  /// out = row `id`. Throws where there is none, or where its numbers are not fit for use.
  void read(int id, Master* out) const {
    const auto row = static_cast<std::size_t>(id);
    if (id < 0 || row >= rows()) {
      throw error(where(id), "the table has rows 0 to " + std::to_string(rows()) + " (exclusive)");
    }
    if (row >= rows_) {
      std::copy_n(more_.data() + (row - rows_) * width_, width_, out);
    } else if (const std::size_t n = read_(data_ + row * width_ * stride_, width_, out); n != width_) {
      throw error(where(id), "number " + std::to_string(n) + " is not finite (did the training diverge?)");
    }
  }
  /// out[i] = row ids[i], [n, width].
  void gather(const int* ids, int n, Master* out) const {
    for (int i = 0; i < n; ++i) read(ids[i], out + static_cast<std::size_t>(i) * width_);
  }

 private:
  static std::size_t copy(const std::byte* from, std::size_t count, Master* to) {
    std::memcpy(to, from, count * sizeof(Master));
    return count;
  }
  std::string where(int id) const {
    return (place_.empty() ? "" : place_ + ": ") + "puzzle identifier " + std::to_string(id);
  }

  const std::byte* data_ = nullptr;
  std::size_t rows_ = 0, width_ = 0, stride_ = 0;
  reader read_ = copy;
  std::string place_;
  std::span<const Master> more_;
};

}  // namespace trm
