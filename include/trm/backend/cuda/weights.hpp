// SPDX-License-Identifier: MIT
// Weights in the form that the CUDA backend's products read: derived from the master weights and kept until these change.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/core/numerics.hpp"
#include "trm/core/parameters.hpp"

namespace trm::cuda {

/// The element type of parameters bound for computing in T: where the master is and, for matrices, its prepared form.
template <class T>
struct weight {
  /// What products are computed in.
  using compute = T;
};

/// Handle of one parameter bound for computing, all of it in device memory.
template <class T>
struct weight_handle {
  const accumulator<T>* master = nullptr;  // the weights that are trained
  const T* product = nullptr;  // W [N, K] in T, for v = x W^T and v = d W; rows are pitch_of<T>(K) elements apart
};

/// The distance of rows of a prepared W [N, K]: K, rounded up to 16 bytes, which tensor cores ask of the rows of an operand.
template <class T>
constexpr int pitch_of(int k) {
  constexpr int unit = 16 / static_cast<int>(sizeof(T));
  return (k + unit - 1) / unit * unit;
}

}  // namespace trm::cuda

/// A bound parameter is known by its master weights and prepared form.
template <class T>
struct trm::handle<trm::cuda::weight<T>> {
  using type = trm::cuda::weight_handle<T>;  // what a tensor holds
};

namespace trm::cuda {

namespace detail {

/// One matrix and where its prepared form is.
template <class T>
struct matrix_to_prepare {
  const accumulator<T>* master;
  T* product;
  int rows, columns;
};

/// Rounds matrices to T, a block a row of any of them; rows end with zeros up to their pitch.
template <class T, int Most>
struct prepare_kernel {
  matrix_to_prepare<T> list[Most];
  int count;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    int row = b.index(), i = 0;
    while (row >= list[i].rows) row -= list[i++].rows;
    const matrix_to_prepare<T>& e = list[i];
    const int pitch = pitch_of<T>(e.columns);
    const accumulator<T>* from = e.master + static_cast<std::ptrdiff_t>(row) * e.columns;
    T* to = e.product + static_cast<std::ptrdiff_t>(row) * pitch;
    for (int j = b.thread(); j < pitch; j += b.threads()) to[j] = j < e.columns ? static_cast<T>(from[j]) : T(0.0f);
  }
};

}  // namespace detail

/// The prepared forms of all matrices of an aggregate of parameters, for one compute type. A matrix whose master is what products read
/// already (float32 and float64 with rows of whole 16 bytes) has none: its product is the master.
template <class T, template <class> class Params>
struct prepared_weights {
  /// The aggregate, its parameters bound.
  using weights = Params<weight<T>>;

  /// Bytes of the prepared forms. They are the same for both modes.
  static constexpr std::size_t bytes(mode) {
    weights w{};
    std::size_t at = 0;
    for_each_parameter(w, [&]<class M>(std::string_view, M&, init) { at += bytes_of<M>(); });
    return at;
  }
  /// The parameters bound to the flat master buffer and to `base`, which holds bytes(m); both in device memory.
  static weights bind(const accumulator<T>* master, std::byte* base, mode) {
    weights w{};
    std::size_t element = 0, at = 0;
    for_each_parameter(w, [&]<class M>(std::string_view, M& p, init) {
      p.data.master = master + element;
      element += round_up(M::count, parameter_alignment);
      if constexpr (is_matrix<M>) {
        if constexpr (copied<M>()) {
          p.data.product = reinterpret_cast<const T*>(base + at);
        } else {
          p.data.product = p.data.master;
        }
        at += bytes_of<M>();
      }
    });
    return w;
  }
  /// Prepares every matrix again from the master weights.
  template <class Device>
  static void refresh(Device& device, const weights& bound) {
    constexpr int most = 32;  // matrices of a launch: their list is among its parameters
    detail::prepare_kernel<T, most> kernel{};
    int rows = 0;
    const auto launch = [&] {
      if (rows > 0) device.launch(kernel, rows, 128, 0);
      kernel = {}, rows = 0;
    };
    weights w = bound;
    for_each_parameter(w, [&]<class M>(std::string_view, M& p, init) {
      if constexpr (is_matrix<M>) {
        if constexpr (copied<M>()) {
          kernel.list[kernel.count++] = {p.data.master, const_cast<T*>(p.data.product), M::extents[0], M::extents[1]};
          rows += M::extents[0];
          if (kernel.count == most) launch();
        }
      }
    });
    launch();
  }

 private:
  template <class M>
  static constexpr bool copied() {
    return !std::is_same_v<T, accumulator<T>> || pitch_of<T>(M::extents[1]) != M::extents[1];
  }
  template <class M>
  static constexpr std::size_t bytes_of() {
    if constexpr (is_matrix<M>) {
      if (copied<M>())
        return round_up(
            sizeof(T) * static_cast<std::size_t>(M::extents[0]) * static_cast<std::size_t>(pitch_of<T>(M::extents[1])),
            alignment);
    }
    return 0;
  }
};

}  // namespace trm::cuda
