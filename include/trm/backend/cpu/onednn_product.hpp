// SPDX-License-Identifier: MIT
// Products by oneDNN (2.6 or later). Needs <oneapi/dnnl/dnnl.hpp>.
#pragma once
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "trm/backend/cpu/reference_product.hpp"
#include "trm/core/error.hpp"

namespace trm::cpu {

/// oneDNN's matmul; weights in the layout that it prefers for a whole block of rows. float64, and gradient sums in it,
/// by `reference_product`. The threads are those of the library's own pool: inside a call OpenMP is held at one thread.
///
/// Each thread keeps the primitives of the shapes that it has met, so a call creates none once they have been met. What
/// oneDNN refuses (bf16 on a processor without AVX-512) throws trm::error.
struct onednn_product {
  static constexpr int row_block = 64;
  static constexpr bool rows_independent = false;

  /// An upper bound: oneDNN pads blocked weights, to at most 64 in both directions.
  template <class T>
  static constexpr std::size_t prepared_bytes(int n, int k) {
    if constexpr (std::is_same_v<T, double>) return reference_product::prepared_bytes<T>(n, k);
    return sizeof(T) * ((size(n) + 63) / 64 * 64) * ((size(k) + 63) / 64 * 64);
  }

  template <class T, class M>
  static void prepare(strided<const M> w, int n, int k, void* out) {
    if constexpr (std::is_same_v<T, double>) {
      reference_product::prepare<T, M>(w, n, k, out);
    } else {
      guarded([&] {
        std::vector<T> plain(size(n) * size(k));  // [n, k]
        reference_product::prepare<T, M>(w, n, k, plain.data());
        const dnnl::memory::desc from({k, n}, type<T>(), dnnl::memory::dims{1, k});
        const dnnl::memory::desc to = weight_layout<T>(n, k);
        dnnl::memory source(from, engine(), plain.data()), target(to, engine(), out);
        dnnl::reorder(source, target).execute(stream(), source, target);
        stream().wait();
      });
    }
  }

  /// A block of rows: oneDNN has no matmul of speed for a transposed source.
  template <class T>
  static constexpr std::size_t multiply_workspace(int /*n*/, int k) {
    if constexpr (std::is_same_v<T, double>) return 0;
    return (sizeof(T) * size(row_block) * size(k) + 63) / 64 * 64;
  }

  template <class T>
  static void multiply(strided<const T> a, int m, const void* prepared, int n, int k, accumulator<T>* tile,
                       std::ptrdiff_t ld, void* workspace) {
    if constexpr (std::is_same_v<T, double>) {
      reference_product::multiply<T>(a, m, prepared, n, k, tile, ld, workspace);
    } else {
      if (a.col != 1) {
        T* const rows = static_cast<T*>(workspace);
        for (int j = 0; j < k; ++j) {
          for (int i = 0; i < m; ++i) rows[std::ptrdiff_t{i} * k + j] = a(i, j);
        }
        a = {rows, k, 1};
      }
      guarded([&] {
        find<T>({0, m, n, k, a.row, a.col, 0, 0, ld}, [&] {
          return pair<T>({m, k}, {a.row, a.col}, weight_layout<T>(n, k), {m, n}, ld, false);
        }).execute(a.data, prepared, tile);
      });
    }
  }

  template <class T>
  static constexpr std::size_t accumulate_workspace(int /*n*/, int /*k*/) {
    return 0;
  }

  template <class T, class G>
  static void accumulate(thread_pool& pool, int batch, int rows, strided<const T> d, std::ptrdiff_t d_sample, int n,
                         strided<const T> x, std::ptrdiff_t x_sample, int k, G* g, std::ptrdiff_t ld, void* workspace) {
    if constexpr (std::is_same_v<T, double> || std::is_same_v<G, double>) {
      reference_product::accumulate<T, G>(pool, batch, rows, d, d_sample, n, x, x_sample, k, g, ld, workspace);
    } else {
      if (d_sample == rows * d.row && x_sample == rows * x.row) {
        rows *= batch;
        batch = 1;
      }
      constexpr int height = 128, width = 512;  // blocks of g, the same whatever the size of the pool
      const int across = (k + width - 1) / width;
      pool.run((n + height - 1) / height * across, [&](int task, int) {
        const int i = task / across * height, j = task % across * width;
        const int m = std::min(height, n - i), c = std::min(width, k - j);
        guarded([&] {
          product<T>& p = find<T>({1, m, c, rows, d.row, d.col, x.row, x.col, ld}, [&] {
            const dnnl::memory::desc right({rows, c}, type<T>(), dnnl::memory::dims{x.row, x.col});
            return pair<T>({m, rows}, {d.col, d.row}, right, {m, c}, ld, true);
          });
          for (int b = 0; b < batch; ++b) {
            p.execute(d.data + b * d_sample + i * d.col, x.data + b * x_sample + j * x.col, g + i * ld + j);
          }
        });
      });
    }
  }

 private:
  using key = std::array<std::ptrdiff_t, 9>;

  /// A primitive and the memory objects whose data it is given anew at each call.
  template <class T>
  struct product {
    dnnl::matmul primitive;
    dnnl::memory source, weights, target;

    void execute(const T* a, const void* b, float* c) {
      source.set_data_handle(const_cast<T*>(a));
      weights.set_data_handle(const_cast<void*>(b));
      target.set_data_handle(c);
      const dnnl_exec_arg_t arguments[] = {
          {DNNL_ARG_SRC, source.get()}, {DNNL_ARG_WEIGHTS, weights.get()}, {DNNL_ARG_DST, target.get()}};
      dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream().get(), 3, arguments),
                              "matmul was not executed");
    }
  };

  static constexpr std::size_t size(int n) { return static_cast<std::size_t>(n); }

  template <class T>
  static constexpr dnnl::memory::data_type type() {
    return std::is_same_v<T, bf16> ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
  }
  static const dnnl::engine& engine() {
    static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
  }
  static dnnl::stream& stream() {
    static thread_local dnnl::stream s(engine());
    return s;
  }

  /// The layout that oneDNN chooses for the weights of a whole block of rows; a plain one where it does not fit.
  template <class T>
  static dnnl::memory::desc weight_layout(int n, int k) {
    static thread_local std::map<std::array<int, 2>, dnnl::memory::desc> known;
    const auto found = known.find({n, k});
    if (found != known.end()) return found->second;
    const dnnl::memory::desc a({row_block, k}, type<T>(), dnnl::memory::format_tag::ab);
    const dnnl::memory::desc any({k, n}, type<T>(), dnnl::memory::format_tag::any);
    const dnnl::memory::desc c({row_block, n}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
    dnnl::memory::desc chosen = dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, any, c), engine()).weights_desc();
    if (chosen.get_size() > prepared_bytes<T>(n, k)) chosen = {{k, n}, type<T>(), dnnl::memory::format_tag::ab};
    if (known.size() >= most_kept) known.clear();
    known.emplace(std::array<int, 2>{n, k}, chosen);
    return chosen;
  }

  template <class T>
  static product<T> pair(dnnl::memory::dims a_size, dnnl::memory::dims a_strides, const dnnl::memory::desc& b,
                         dnnl::memory::dims c_size, std::ptrdiff_t ld, bool add) {
    const dnnl::memory::desc a(a_size, type<T>(), a_strides),
        c(c_size, dnnl::memory::data_type::f32, dnnl::memory::dims{ld, 1});
    dnnl::primitive_attr attributes;
    if (add) {
      dnnl::post_ops after;
      after.append_sum(1.0f);
      attributes.set_post_ops(after);
    }
    const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, b, c), attributes, engine());
    return {dnnl::matmul(description), dnnl::memory(a, engine(), nullptr), dnnl::memory(b, engine(), nullptr),
            dnnl::memory(c, engine(), nullptr)};
  }

  static constexpr std::size_t most_kept = 256;  // batches of ever new sizes must not fill the memory

  template <class T, class Make>
  static product<T>& find(const key& k, Make make) {
    static thread_local std::map<key, product<T>> known;
    const auto found = known.find(k);
    if (found != known.end()) return found->second;
    if (known.size() >= most_kept) known.clear();
    return known.emplace(k, make()).first->second;
  }

  /// f() with OpenMP, where oneDNN uses it, at one thread; oneDNN's errors as trm::error.
  template <class F>
  static void guarded(F f) {
    static const auto get = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
    static const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    struct restore {
      int threads;
      ~restore() {
        if (threads > 1) set(threads);
      }
    } threads{get != nullptr && set != nullptr ? get() : 0};
    if (threads.threads > 1) set(1);
    try {
      f();
    } catch (const dnnl::error& e) {
      throw error("onednn_product", e.message);
    }
  }
};

static_assert(product_provider<onednn_product>);

}  // namespace trm::cpu
