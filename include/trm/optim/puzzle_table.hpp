// SPDX-License-Identifier: MIT
// The puzzle embeddings: one row for each puzzle identifier, trained by sparse SignSGD.
#pragma once
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "trm/ops/optimizer.hpp"
#include "trm/optim/puzzle_rows.hpp"

namespace trm {

/// [rows, width] of the master type; begins at zero. A step reads the rows of its batch and, after the gradient, updates them:
/// gradients of equal identifiers are summed in the order of the batch, then p = p * (1 - lr * wd) - lr * sign(sum).
template <class Master>
class puzzle_table {
 public:
  puzzle_table() = default;
  /// `rows` rows of `width` zeros; `batch`: identifiers of an update at most.
  puzzle_table(std::size_t rows, int width, int batch)
      : width_(static_cast<std::size_t>(width)),
        values_(rows * width_),
        order_(static_cast<std::size_t>(batch)),
        sum_(width_) {}

  std::size_t rows() const { return width_ == 0 ? 0 : values_.size() / width_; }  // puzzle identifiers
  std::size_t width() const { return width_; }                                    // of a row
  Master* data() { return values_.data(); }                                       // [rows, width]
  const Master* data() const { return values_.data(); }                           // [rows, width]

  /// The rows as they are, to be read.
  puzzle_rows<Master> view() const { return {data(), rows(), width_}; }
  operator puzzle_rows<Master>() const { return view(); }  // as view()

  /// Throws where the rows are not the model's.
  void check_width(int wanted) const { view().check_width(wanted); }
  /// out[i] = row ids[i]. Throws where an identifier has no row.
  void gather(const int* ids, int n, Master* out) const { view().gather(ids, n, out); }
  /// Sparse SignSGD with the gradients [n, width] of the rows `ids`. Does not allocate for n up to the batch of the table.
  void sign_sgd(const int* ids, const Master* gradients, int n, sign_step s) {
    if (static_cast<std::size_t>(n) > order_.size()) order_.resize(static_cast<std::size_t>(n));
    const auto end = order_.begin() + n;
    std::iota(order_.begin(), end, 0);
    std::sort(order_.begin(), end, [&](int a, int b) { return ids[a] != ids[b] ? ids[a] < ids[b] : a < b; });
    const Master keep = static_cast<Master>(1.0 - s.learning_rate * s.weight_decay),
                 rate = static_cast<Master>(s.learning_rate);
    for (auto i = order_.begin(); i != end;) {
      const int id = ids[*i];
      std::fill(sum_.begin(), sum_.end(), Master(0));
      for (; i != end && ids[*i] == id; ++i) {
        const Master* g = gradients + static_cast<std::size_t>(*i) * width_;
        for (std::size_t j = 0; j < width_; ++j) sum_[j] += g[j];
      }
      Master* p = row(id);
      for (std::size_t j = 0; j < width_; ++j) {
        const Master sign = static_cast<Master>((sum_[j] > 0) - (sum_[j] < 0));
        p[j] = p[j] * keep - rate * sign;
      }
    }
  }

 private:
  Master* row(int id) { return values_.data() + static_cast<std::size_t>(id) * width_; }

  std::size_t width_ = 0;
  std::vector<Master> values_;
  std::vector<int> order_;
  std::vector<Master> sum_;
};

}  // namespace trm
