// SPDX-License-Identifier: MIT
// Every operation of trm/ops on the CPU, against the least time that its FLOPs or its bytes allow. One thread; the products and
// attention of paper size with all threads as well.
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "measure.hpp"
#include "trm/backend/cpu/context.hpp"
#include "trm/ops/matmul.hpp"
#include "trm/ops/rows.hpp"

namespace {

using namespace trm_benchmark;
using backend = trm::cpu::context<>;

constexpr int vocabulary = 12, puzzle_positions = 16;

/// `batch` samples of `rows` rows.
struct extents {
  int batch, rows;
  double all() const { return static_cast<double>(batch) * rows; }
  std::string name(int width) const {
    return std::to_string(batch) + "x" + std::to_string(rows) + "x" + std::to_string(width);
  }
};

/// One weight in the form that products read.
template <class T, int N, int K>
class weight {
 public:
  template <class E>
  struct params {
    trm::matrix<E, N, K> w;
    template <class F>
    constexpr void fields(F&& f) {
      f("w", w);
    }
  };
  using prepared = backend::prepared<T, params>;

  explicit weight(backend& device)
      : master_(random_values<float>(trm::parameter_extent<params<float>>())),
        forms_(prepared::bytes(trm::mode::training)),
        bound_(prepared::bind(master_.as<float>(), forms_.data(), trm::mode::training)) {
    refresh(device);
  }
  void refresh(backend& device) { prepared::refresh(device.pool(), bound_); }
  const auto& operator*() const { return bound_.w; }
  static constexpr double elements = 1.0 * N * K;

 private:
  trm::buffer master_, forms_;
  typename prepared::weights bound_;
};

/// The operations of a model of width D, at most Rows rows and compute type T.
/// Whole: all of them, or those that take most of a step; each one more is compiled for every instruction set.
template <class T, int Rows, int D, int Heads, bool Whole>
struct operations {
  static constexpr int inner = 3 * D;  // of SwiGLU
  static constexpr double size = sizeof(T);
  using wide = trm::view<T, Rows, 3 * D>;
  using gates = trm::view<T, Rows, 2 * inner>;
  using narrow = trm::view<T, Rows, D>;
  using scales = trm::view<float, Rows, 1>;
  using positions = trm::rope<>;

  /// Activations of an extent, random.
  struct memory {
    explicit memory(extents e)
        : a(random_values<T>(count(e, 2 * inner))),
          b(random_values<T>(count(e, 2 * inner))),
          c(random_values<T>(count(e, 2 * inner))),
          numbers(random_values<float>(count(e, Heads))) {}
    static std::size_t count(extents e, int width) {
      return static_cast<std::size_t>(e.batch) * static_cast<std::size_t>(e.rows) * static_cast<std::size_t>(width);
    }
    template <class V>
    static V at(const trm::buffer& memory) {
      return V{memory.as<typename V::value_type>()};
    }
    trm::buffer a, b, c, numbers;
  };

  /// prepare(device, memory, call) gives what is run.
  template <class F>
  static void add_one(const std::string& name, extents e, int threads, work w, F prepare) {
    const std::string full =
        "ops/" + name + "/" + type_name<T>() + "/" + e.name(D) + "/threads:" + std::to_string(threads);
    auto* made = add(full, [=](benchmark::State& state) {
      backend device(threads);
      const memory m(e);
      const trm::call<backend> call{device, e.batch, e.rows};
      measure(state, w, threads, prepare(device, m, call));
    });
    if (threads > 1) made->UseRealTime();
  }

  /// v = x W^T, W [N, K]; `sink(m)` makes the sink, which moves `bytes` a row besides the row itself.
  template <int N, int K, class S>
  static void product(const std::string& name, extents e, int threads, double row_bytes, S sink) {
    const work w{2 * e.all() * N * K, e.all() * K * size + weight<T, N, K>::elements * size, e.all() * row_bytes,
                 type_of<T>()};
    add_one("matmul/" + name, e, threads, w, [=](backend& device, const memory& m, const auto& call) {
      return [&m, call, s = sink(m), w = std::make_shared<weight<T, N, K>>(device)] {
        trm::ops::matmul(call, memory::template at<trm::view<T, Rows, K>>(m.a), **w, s);
      };
    });
  }
  static void products(extents e, int threads) {
    using namespace trm::sink;
    const auto at = []<class V>(V, const trm::buffer& b) { return memory::template at<V>(b); };
    product<D, D>("store", e, threads, D * size, [=](const memory& m) { return store<narrow>{at(narrow(), m.b)}; });
    product<2 * inner, D>("swiglu", e, threads, 3 * inner * size, [=](const memory& m) {
      return swiglu<gates, wide>{at(gates(), m.b), at(wide(), m.c)};
    });
    if constexpr (Whole) {
      product<3 * D, D>("rotate", e, threads, 3 * D * size,
                        [=](const memory& m) { return rotate<Heads, positions, wide>{at(wide(), m.b)}; });
      product<D, inner>("add_norm", e, threads, 2 * D * size + 4, [=](const memory& m) {
        return add_norm<narrow, scales, store<narrow>>{
            at(narrow(), m.b), at(scales(), m.numbers), 1e-5, {at(narrow(), m.c)}};
      });
      product<D, D>("sum", e, threads, 4 * D * size, [=](const memory& m) {
        store_and_sum<narrow> s{at(narrow(), m.b), true, {}};
        s.sum.u = at(narrow(), m.c);
        s.sum.count = 3, s.sum.split = 2, s.sum.own = 0;
        s.sum.terms[1] = narrow{m.c.template as<T>() + memory::count(e, D)};
        s.sum.terms[2] = narrow{m.c.template as<T>() + 2 * memory::count(e, D)};
        return s;
      });
    }

    const double rows = e.all(), elements = weight<T, 2 * inner, D>::elements;
    const double flops = 2 * rows * elements;
    const work gradient{flops, rows * 2 * inner * size + elements * size, rows * D * size, type_of<T>()};
    add_one("matmul_input_gradient", e, threads, gradient, [=](backend& device, const memory& m, const auto& call) {
      return [&m, call, at, w = std::make_shared<weight<T, 2 * inner, D>>(device)] {
        trm::ops::matmul_input_gradient(call, at(gates(), m.a), **w, store<narrow>{at(narrow(), m.b)});
      };
    });
    const work sums{flops, rows * (2 * inner + D) * size + elements * 4, elements * 4, type_of<T>()};
    add_one("matmul_weight_gradient", e, threads, sums, [=](backend&, const memory& m, const auto& call) {
      return [&m, call, at, g = std::make_shared<std::vector<float>>(static_cast<std::size_t>(elements))] {
        trm::ops::matmul_weight_gradient(call, at(gates(), m.a), at(narrow(), m.b),
                                         trm::matrix<float, 2 * inner, D>{{g->data()}});
      };
    });
  }

  template <class Mask>
  static void attention(const std::string& mask, extents e, int threads) {
    const double pairs = mask == "causal" ? 0.5 * e.rows * (e.rows + 1) : 1.0 * e.rows * e.rows;
    const double flops = 4.0 * e.batch * pairs * D, rows = e.all() * D * size, lse = e.all() * Heads * 4;
    const auto at = []<class V>(V, const trm::buffer& b) { return memory::template at<V>(b); };
    using statistics = trm::view<float, Rows, Heads>;
    add_one("attention/" + mask, e, threads, {flops, 3 * rows, rows + lse, type_of<T>()},
            [=](backend&, const memory& m, const auto& call) {
              return [&m, call, at] {
                trm::ops::attention<Heads, Mask>(call, at(wide(), m.a), at(narrow(), m.b), at(statistics(), m.numbers));
              };
            });
    add_one("attention_gradient/" + mask, e, threads, {2.5 * flops, 5 * rows + lse, 3 * rows, type_of<T>()},
            [=](backend&, const memory& m, const auto& call) {
              trm::ops::attention<Heads, Mask>(call, at(wide(), m.a), at(narrow(), m.b), at(statistics(), m.numbers));
              return [&m, call, at, d = narrow{m.b.template as<T>() + memory::count(e, D)}] {
                trm::ops::attention_gradient<Heads, Mask, positions>(call, at(wide(), m.a), at(narrow(), m.b),
                                                                     at(statistics(), m.numbers), d, at(wide(), m.c));
              };
            });
  }

  /// What moves bytes and multiplies little.
  static void passes(extents e) {
    const auto at = []<class V>(V, const trm::buffer& b) { return memory::template at<V>(b); };
    const int rows = e.rows, tokens_of_sample = rows - puzzle_positions;
    const double bytes = e.all() * D * size, tokens = static_cast<double>(e.batch) * tokens_of_sample;
    const auto ints = [=] {
      auto v = std::make_shared<std::vector<int>>(memory::count(e, 1));
      for (std::size_t i = 0; i < v->size(); ++i) (*v)[i] = static_cast<int>(i * 7 % vocabulary);
      return v;
    };
    add_one("emit", e, 1, {0, bytes, bytes}, [=](backend&, const memory& m, const auto& call) {
      return [&m, call, at] { trm::ops::emit(call, at(narrow(), m.a), trm::sink::store<narrow>{at(narrow(), m.b)}); };
    });
    add_one("embed", e, 1, {0, (vocabulary + e.batch) * D * 4.0, bytes},
            [=](backend&, const memory& m, const auto& call) {
              struct table {
                std::vector<float> values, puzzle;
              };
              auto t = std::make_shared<table>(table{std::vector<float>(static_cast<std::size_t>(vocabulary) * D, 0.5f),
                                                     std::vector<float>(static_cast<std::size_t>(e.batch) * D, 0.25f)});
              return [&m, call, at, t, data = ints()] {
                trm::tensor<trm::cpu::weight<T>, vocabulary, D> values;
                values.data.master = t->values.data();
                trm::ops::embed<puzzle_positions, D>(call, trm::embedding_input<float>{data->data(), t->puzzle.data()},
                                                     values, 22.0, at(narrow(), m.a));
              };
            });
    add_one("embed_gradient", e, 1, {0, bytes, (vocabulary + e.batch) * D * 4.0},
            [=](backend&, const memory& m, const auto& call) {
              auto table = std::make_shared<std::vector<float>>(static_cast<std::size_t>(vocabulary + e.batch) * D);
              return [&m, call, at, table, data = ints()] {
                trm::ops::embed_gradient<puzzle_positions, D>(call, data->data(), at(narrow(), m.a), 22.0,
                                                              trm::tensor<float, vocabulary, D>{table->data()},
                                                              table->data() + vocabulary * D);
              };
            });
    using logits = trm::view<T, Rows, vocabulary>;
    const double scores = tokens * vocabulary * size;
    add_one("cross_entropy", e, 1, {0, scores + 4 * tokens, scores + 4 * tokens},
            [=](backend&, const memory& m, const auto& call) {
              auto results = std::make_shared<std::vector<trm::token_result>>(static_cast<std::size_t>(e.batch));
              return [&m, call, at, results, labels = ints(), predictions = ints(), tokens_of_sample] {
                trm::ops::cross_entropy<trm::stablemax>(call.with_rows(tokens_of_sample), at(logits(), m.a),
                                                        labels->data(), 1.0, at(logits(), m.b), predictions->data(),
                                                        results->data());
              };
            });
    using q = trm::view<T, 1, 2>;
    add_one("halting", e, 1, {0, e.batch * 60.0, e.batch * 30.0}, [=](backend&, const memory& m, const auto& call) {
      struct state {
        std::vector<trm::token_result> tokens;
        std::vector<trm::halting_result> out;
        std::vector<unsigned char> halted;
      };
      const auto n = static_cast<std::size_t>(e.batch);
      auto s = std::make_shared<state>(
          state{std::vector<trm::token_result>(n), std::vector<trm::halting_result>(n), std::vector<unsigned char>(n)});
      return [&m, call, at, s, steps = ints()] {
        trm::ops::halting_loss(call.with_rows(1), at(q(), m.a), trm::absent{}, s->tokens.data(), steps->data(), 16, 1.0,
                               at(q(), m.b), s->out.data());
        trm::ops::halt(call, trm::halting_rule{}, trm::draw_key{}, s->out.data(), steps->data(), s->halted.data());
      };
    });
  }

  static void all(extents e, int threads) {
    products(e, threads);
    attention<trm::bidirectional>("bidirectional", e, threads);
    if (threads > 1) return;
    if constexpr (Whole) {
      if (e.batch == 1) attention<trm::causal>("causal", e, threads);
      passes(e);
    }
  }
};

/// Passes over flat buffers as long as the parameters of a model.
void flat(std::size_t n) {
  struct buffers {
    trm::buffer p, m, v, g;
  };
  const auto one = [=](const std::string& name, double reads, double writes, auto f) {
    const double bytes = 4.0 * static_cast<double>(n);
    add("ops/" + name + "/float32/" + std::to_string(n) + "/threads:1", [=](benchmark::State& state) {
      backend device(1);
      const buffers b{random_values<float>(n), random_values<float>(n), trm::buffer(4 * n), random_values<float>(n)};
      measure(state, {0, reads * bytes, writes * bytes}, 1, [&] { f(device, b); });
    });
  };
  constexpr trm::adam_step step{1e-4, 0.9, 0.95, 0.1, 1e-8, 10};
  one("adam_atan2", 4, 3, [=](backend& d, const buffers& b) {
    trm::ops::adam_atan2(d, b.p.as<float>(), b.m.as<float>(), b.v.as<float>(), b.g.as<float>(), n, step, 1.0);
  });
  one("adamw", 4, 3, [=](backend& d, const buffers& b) {
    trm::ops::adamw(d, b.p.as<float>(), b.m.as<float>(), b.v.as<float>(), b.g.as<float>(), n, step, 1.0);
  });
  one("ema", 2, 1, [=](backend& d, const buffers& b) { trm::ops::ema(d, b.p.as<float>(), b.g.as<float>(), n, 0.999); });
  one("squared_norm", 1, 0,
      [=](backend& d, const buffers& b) { benchmark::DoNotOptimize(trm::ops::squared_norm(d, b.g.as<float>(), n)); });
  one("add", 2, 1, [=](backend& d, const buffers& b) { trm::ops::add(d, b.p.as<float>(), b.g.as<float>(), n); });
  one("clear", 0, 1, [=](backend& d, const buffers& b) { trm::ops::clear(d, b.p.as<float>(), n); });
}

/// A weight brought into the forms that products read, after each update.
template <class T, int N, int K>
void prepare() {
  const double elements = weight<T, N, K>::elements;
  add("ops/prepare/" + std::string(type_name<T>()) + "/" + std::to_string(N) + "x" + std::to_string(K) + "/threads:1",
      [=](benchmark::State& state) {
        backend device(1);
        weight<T, N, K> w(device);
        measure(state, {0, 8 * elements, 2 * elements * sizeof(T)}, 1, [&] { w.refresh(device); });
      });
}

template <class T>
void register_type() {
  using paper = operations<T, 916, 512, 8, std::is_same_v<T, float>>;
  constexpr extents sudoku{8, 97}, arc{1, 916}, toy{64, 32};
  paper::all(sudoku, 1);
  paper::all(arc, 1);
  if constexpr (std::is_same_v<T, float>) operations<T, 32, 128, 4, false>::all(toy, 1);
  if (const int threads = trm::cpu::default_threads(); threads > 1) paper::all(arc, threads);
  prepare<T, 3072, 512>();
}

const bool registered = [] {
  register_ceilings();
  register_type<float>();
  register_type<trm::bf16>();
  flat(6829568);  // the parameters of the paper's size, and of the small Sudoku model
  flat(32642);
  return true;
}();

}  // namespace
