// SPDX-License-Identifier: MIT
// Weights in the forms that the CPU's products read: derived from the master weights and kept until these change.
#pragma once
#include <array>
#include <cstddef>

#include "trm/backend/cpu/product_provider.hpp"
#include "trm/core/numerics.hpp"
#include "trm/core/parameters.hpp"

namespace trm::cpu {

/// The element type of parameters bound for computing in T: where the master is and, for matrices, its prepared forms.
template <class T>
struct weight {
  /// What products are computed in.
  using compute = T;
};

/// Handle of one parameter bound for computing.
template <class T>
struct weight_handle {
  const accumulator<T>* master = nullptr;  // the weights that are trained
  const void* product = nullptr;   // W, for v = x W^T
  const void* gradient = nullptr;  // W^T, for v = d W; training only
};

}  // namespace trm::cpu

/// A bound parameter is known by its master weights and prepared forms.
template <class T>
struct trm::handle<trm::cpu::weight<T>> {
  using type = trm::cpu::weight_handle<T>;  // what a tensor holds
};

namespace trm::cpu {

namespace detail {

/// One matrix and where its prepared forms are.
template <class T>
struct matrix_to_prepare {
  const accumulator<T>* master;
  int n, k;
  std::byte* product;
  std::byte* gradient;
};

}  // namespace detail

/// The prepared forms of all matrices of an aggregate of parameters, for one provider and compute type.
template <class Provider, class T, template <class> class Params>
struct prepared_weights {
  /// The aggregate, its parameters bound.
  using weights = Params<weight<T>>;

  /// Bytes of the prepared forms.
  static constexpr std::size_t bytes(mode m) {
    weights w{};
    std::size_t at = 0;
    for_each_parameter(w, [&]<class M>(std::string_view, M&, init) {
      if constexpr (is_matrix<M>) {
        at += product_bytes<M>();
        if (m == mode::training) at += gradient_bytes<M>();
      }
    });
    return at;
  }
  /// The parameters bound to the flat master buffer and to `base`, which holds bytes(m).
  static weights bind(const accumulator<T>* master, std::byte* base, mode m) {
    weights w{};
    std::size_t element = 0, at = 0;
    for_each_parameter(w, [&]<class M>(std::string_view, M& p, init) {
      p.data.master = master + element;
      element += round_up(M::count, parameter_alignment);
      if constexpr (is_matrix<M>) {
        p.data.product = base + at;
        at += product_bytes<M>();
        if (m == mode::training) {
          p.data.gradient = base + at;
          at += gradient_bytes<M>();
        }
      }
    });
    return w;
  }
  /// Prepares every matrix again from the master weights.
  template <class Pool>
  static void refresh(Pool& pool, const weights& bound) {
    std::array<detail::matrix_to_prepare<T>, count()> list{};
    std::size_t i = 0;
    weights w = bound;
    for_each_parameter(w, [&]<class M>(std::string_view, M& p, init) {
      if constexpr (is_matrix<M>) {
        list[i++] = {p.data.master, M::extents[0], M::extents[1],
                     const_cast<std::byte*>(static_cast<const std::byte*>(p.data.product)),
                     const_cast<std::byte*>(static_cast<const std::byte*>(p.data.gradient))};
      }
    });
    pool.run(static_cast<int>(2 * list.size()), [&](int task, int) {
      const auto& e = list[static_cast<std::size_t>(task / 2)];
      using master = accumulator<T>;
      if (task % 2 == 0) {
        Provider::template prepare<T, master>(strided<const master>{e.master, e.k, 1}, e.n, e.k, e.product);
      } else if (e.gradient != nullptr) {
        Provider::template prepare<T, master>(strided<const master>{e.master, 1, e.k}, e.k, e.n, e.gradient);
      }
    });
  }

 private:
  template <class M>
  static constexpr std::size_t product_bytes() {
    return round_up(Provider::template prepared_bytes<T>(M::extents[0], M::extents[1]), alignment);
  }
  template <class M>
  static constexpr std::size_t gradient_bytes() {
    return round_up(Provider::template prepared_bytes<T>(M::extents[1], M::extents[0]), alignment);
  }
  static constexpr std::size_t count() {
    weights w{};
    std::size_t n = 0;
    for_each_parameter(w, [&]<class M>(std::string_view, M&, init) { n += is_matrix<M>; });
    return n;
  }
};

}  // namespace trm::cpu
