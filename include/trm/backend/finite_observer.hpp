// SPDX-License-Identifier: MIT
// Finds the first value that is not finite among results that it is shown in the order in which they are computed.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/parameters.hpp"
#include "trm/core/view.hpp"

// Nothing here is hot. The compiler is told so, lest it optimise every layer a second time (see watch.hpp).
#define TRM_COLD [[gnu::cold, gnu::noinline]]

namespace trm {

/// Where the first value that is not finite appeared.
struct non_finite {
  int sample = -1;      // of the call; -1: it belongs to no single sample (a parameter, the gradient of one)
  int application = 0;  // of the schedule, from 1 on; 0: outside the recursion
  std::string place;    // "model.inner.L_level.layers.1.mlp.gate_up_proj output, application 7 of 21 (z_L, cycle 2)"
  std::string element;  // "row 5, channel 17", "element [3, 17]"; empty: the place is one number
  double value = 0;     // an infinity or a NaN
  double largest = 0;   // the largest finite magnitude of what it was computed from
  bool before_step =
      false;  // it was there before the step: in a parameter, an initial state, a puzzle row or the carry

  /// All of it in one line.
  TRM_COLD std::string text() const {
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, " is %g; the largest finite magnitude before it is %.3g", value, largest);
    const std::string where = element.empty() ? place : place + ", " + element;
    return (sample < 0 ? where : "sample " + std::to_string(sample) + ": " + where) + numbers;
  }
};

/// Values of any element type and order, to be looked at: [batch, rows, width].
struct seen_values {
  const void* data = nullptr;                             // the first value
  double (*read)(const void*, std::ptrdiff_t) = nullptr;  // the i-th value behind a pointer, as double
  int batch = 0, rows = 0, width = 0;
  strides steps{};       // distances between values, in elements
  bool swapped = false;  // rows are channels of the state and channels its rows
  const char* how = "";  // what was done to the operation's result before it was stored: ", gated"

  /// Element i as a computation in Compute reads it.
  template <class T, class Compute = T>
  static double element(const void* p, std::ptrdiff_t i) {
    return static_cast<double>(static_cast<Compute>(static_cast<const T*>(p)[i]));
  }
  /// Packed values, one row a sample.
  template <class Compute, class T>
  static seen_values packed(const T* data, int batch, int width, const char* how = "") {
    return {data, element<T, Compute>, batch, 1, width, {width, width, 1}, false, how};
  }
  double at(int b, int r, int c) const { return read(data, b * steps.sample + r * steps.row + c * steps.channel); }
  /// The largest |x| of the values that are finite; 0 where none is.
  double largest_finite() const {
    double largest = 0;
    for (int b = 0; b < batch; ++b) {
      for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < width; ++c) {
          if (const double v = std::abs(at(b, r, c)); std::isfinite(v)) largest = std::max(largest, v);
        }
      }
    }
    return largest;
  }
};

/// What one operation read, or wrote. A fixed place: what it is filled by is compiled for every operation of a model.
struct seen_list {
  int batch = 0, rows = 0, count = 0;  // samples, rows of the call; how many of `items` there are
  seen_values items[16];               // the first `count` are set

  seen_list() = default;
  /// An empty list for a call with so many samples and rows.
  seen_list(int batch_, int rows_) : batch(batch_), rows(rows_) {}
  /// A list of one.
  seen_list(const seen_values& one) : count(1) { items[0] = one; }

  /// Appends a view that an operation touches; `how` names its part in the operation. Views that are not there are
  /// left out.
  template <class T, int Rows, int Width, layout Order>
  seen_list& operator()(const view<T, Rows, Width, Order>& v, const char* how = "") {
    add(v.data, seen_values::element<T>, v.pitch, Width, Order == layout::channels_first, how);
    return *this;
  }
  seen_list& operator()(absent, const char* = "") { return *this; }
  /// The same, by address: `pitch` and `width` as in trm::view, `swapped` for channels_first.
  TRM_COLD void add(const void* data, double (*read)(const void*, std::ptrdiff_t), int pitch, int width, bool swapped,
                    const char* how) {
    const std::ptrdiff_t stored = pitch != 0 ? pitch : rows;
    const strides steps = swapped ? strides{stored * width, 1, stored} : strides{stored * width, width, 1};
    items[count++] = {data, read, batch, rows, width, steps, swapped, how};
  }
};

/// Is shown results until it finds one that is not finite. Names tensors by their place in flat buffers of parameters.
class finite_observer {
 public:
  /// A flat buffer whose tensors `table` names.
  struct named_memory {
    const void* base;           // where the buffer begins
    std::size_t element_bytes;  // of one element, to tell offsets from addresses
    std::span<const parameter_entry> table;
  };
  /// Says which application of the schedule a number means, for messages.
  using describe_application = std::string (*)(std::size_t);

  /// `describe` says in words which application of the schedule it is; there are `applications` of them.
  finite_observer(std::vector<named_memory> named, std::size_t applications, describe_application describe)
      : named_(std::move(named)), applications_(applications), application_(applications), describe_(describe) {}

  /// The first value that was not finite, if there was one.
  const std::optional<non_finite>& found() const { return found_; }

  /// What follows belongs to this application of the schedule; to none, where there is none of this number.
  void application(std::size_t i) { application_ = i; }
  /// What follows is computed for something else than the output; ", ..." is added to every place.
  void purpose(const char* words) { purpose_ = words; }
  /// What follows are gradients.
  void backwards() { backwards_ = true; }

  /// A product with the weight at `w`, or its gradient with respect to what it was applied to.
  TRM_COLD void product(const void* w, const seen_list& read, const seen_list& written) {
    if (found_) return;
    layer_ = layer_of(w);
    look(backwards_ ? "gradient of the input of " + layer_ : layer_ + " output", read, written);
  }
  /// What lies between the products of a layer: its attention.
  TRM_COLD void between(const char* what, const seen_list& read, const seen_list& written) {
    if (found_) return;
    look((backwards_ ? "gradient of " : "") + layer_.substr(0, layer_.rfind('.')) + " " + what, read, written);
  }
  /// A pass over rows after the last product.
  TRM_COLD void pass(const seen_list& read, const seen_list& written) {
    if (found_) return;
    look(backwards_ ? "gradient below " + layer_ : layer_ + " output", read, written);
  }
  /// A parameter or the gradient of one, of `count` elements at `data` (which one the named buffers say), as a computation in
  /// Compute reads it.
  template <class Compute, class T>
  void tensor(const T* data, std::size_t count, const seen_list& read = {}) {
    const int n = static_cast<int>(count);
    seen_list all(seen_values::packed<T>(data, 1, n));
    all.items[all.count++] = seen_values::packed<Compute>(data, 1, n, ", rounded to the type that is computed in");
    tensor(all, read);
  }
  TRM_COLD void tensor(const seen_list& all, const seen_list& read) {
    if (found_) return;
    const parameter_entry* e = entry_at(all.items[0].data);
    const std::string name = e == nullptr ? "a parameter" : std::string(e->name());
    look(backwards_ ? "gradient of " + name : name, read, all);
    if (!found_) return;
    found_->sample = -1;
    if (e != nullptr) found_->element = "element " + index_text(*e, element_);
  }
  /// Any result of the step.
  TRM_COLD void look(const std::string& place, const seen_list& read, const seen_list& written) {
    for (int i = 0; i < written.count && !found_; ++i) {
      if (!find_in(written.items[i], place)) continue;
      for (int j = 0; j < read.count; ++j) found_->largest = std::max(found_->largest, read.items[j].largest_finite());
      if (read.count == 0) found_->largest = written.items[i].largest_finite();
    }
  }
  TRM_COLD void look(const char* place, const seen_list& read, const seen_list& written) {
    if (!found_) look(std::string(place), read, written);
  }

 private:
  bool find_in(const seen_values& v, const std::string& place) {
    for (int b = 0; b < v.batch; ++b) {
      for (int r = 0; r < v.rows; ++r) {
        for (int c = 0; c < v.width; ++c) {
          const double x = v.at(b, r, c);
          if (std::isfinite(x)) continue;
          record(place + v.how, b, v.swapped ? c : r, v.swapped ? r : c, x);
          if (v.rows == 1 && v.width == 1) found_->element.clear();
          return true;
        }
      }
    }
    return false;
  }
  void record(const std::string& place, int sample, int row, int channel, double value) {
    non_finite f;
    f.sample = sample, f.value = value, f.place = place;
    element_ = static_cast<std::size_t>(channel);
    f.element = "row " + std::to_string(row) + ", channel " + std::to_string(channel);
    if (application_ < applications_) {
      f.application = static_cast<int>(application_) + 1;
      f.place += ", " + describe_(application_);
    }
    f.place += purpose_;
    found_ = std::move(f);
  }
  const parameter_entry* entry_at(const void* p) const {
    for (const named_memory& m : named_) {
      for (const parameter_entry& e : m.table) {
        if (static_cast<const std::byte*>(m.base) + e.offset * m.element_bytes == p) return &e;
      }
    }
    return nullptr;
  }
  /// The name of a weight without its last part: model.inner.lm_head for model.inner.lm_head.weight.
  std::string layer_of(const void* w) const {
    const parameter_entry* e = entry_at(w);
    if (e == nullptr) return "a product";
    return std::string(e->name().substr(0, e->name().rfind('.')));
  }
  static std::string index_text(const parameter_entry& e, std::size_t i) {
    std::string text;
    for (int d = e.rank; d-- > 0;) {
      const auto n = static_cast<std::size_t>(e.extents[d]);
      text = std::to_string(i % n) + (text.empty() ? "" : ", ") + text;
      i /= n;
    }
    return "[" + text + "]";
  }

  std::vector<named_memory> named_;
  std::size_t applications_, application_;
  describe_application describe_;
  const char* purpose_ = "";
  bool backwards_ = false;
  std::string layer_ = "the embedding";  // of the last product
  std::size_t element_ = 0;              // channel of what was found
  std::optional<non_finite> found_;
};

}  // namespace trm
