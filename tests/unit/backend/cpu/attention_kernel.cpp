// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/attention_kernel.hpp"

#include "product_cases.hpp"

using namespace trm::cpu;
using trm_test::guarded;
using trm_test::workspace;

namespace {

const auto bidirectional = [](int rows) { return [rows](int) { return rows; }; };
const auto causal = [](int) { return [](int i) { return i + 1; }; };
const auto prefix = [](int rows) { return [rows](int i) { return std::min(std::max(i + 1, 9), rows); }; };
const auto padded = [](int rows) { return [rows](int) { return rows / 2; }; };
const auto late = [](int) { return [](int i) { return std::max(0, i - 2); }; };  // the first rows see nothing

/// A head inside a fused [q | k | v] with something else between heads.
template <class T>
struct head {
  int rows, d;
  std::ptrdiff_t stride, o_stride;
  std::vector<T> qkv, d_o;
  head(int r, int dim, std::uint64_t seed = 1) : rows(r), d(dim), stride(3 * dim + 5), o_stride(dim + 3) {
    trm_test::numbers draw{seed};
    qkv.resize(static_cast<std::size_t>((rows - 1) * stride + 3 * d));
    d_o.resize(static_cast<std::size_t>((rows - 1) * o_stride + d));
    for (T& v : qkv) v = T(2 * draw());
    for (T& v : d_o) v = T(draw());
  }
  const T* q() const { return qkv.data(); }
  const T* k() const { return qkv.data() + d; }
  const T* v() const { return qkv.data() + 2 * d; }
};

template <class T>
struct results {
  using A = trm::accumulator<T>;
  std::vector<T> o;           // [rows, o_stride]
  std::vector<A> lse;         // [rows, 2]
  std::vector<A> dq, dk, dv;  // [rows, d]
};

constexpr double scale = 0.3;
bool long_rows = true;  // of every run

/// Forward and backward of the kernel on poisoned outputs between guards.
template <class T, class Visible>
results<T> run(const head<T>& h, Visible visible) {
  using A = trm::accumulator<T>;
  const A nan = std::numeric_limits<A>::quiet_NaN();
  const std::size_t size = static_cast<std::size_t>(h.rows * h.d);
  guarded<T> o(h.d_o.size(), T(static_cast<float>(nan)));
  guarded<A> lse(static_cast<std::size_t>(2 * h.rows), nan), dq(size, nan), dk(size, nan), dv(size, nan);
  workspace forward(attention_forward_workspace<T>(h.rows, h.d)),
      backward(attention_backward_workspace<T>(h.rows, h.d));
  attention_forward<T>(h.q(), h.k(), h.v(), h.stride, h.rows, h.d, A(scale), visible, o.data(), h.o_stride, lse.data(),
                       2, forward.data(), long_rows);
  attention_backward<T>(h.q(), h.k(), h.v(), h.stride, h.rows, h.d, A(scale), visible, o.data(), h.d_o.data(),
                        h.o_stride, lse.data(), 2, dq.data(), dk.data(), dv.data(), backward.data(), long_rows);
  CHECK(o.intact());
  CHECK(lse.intact());
  CHECK(dq.intact());
  CHECK(dk.intact());
  CHECK(dv.intact());
  CHECK(forward.intact());
  CHECK(backward.intact());
  for (int i = 0; i < h.rows; ++i) {
    CHECK(std::isnan(lse.data()[2 * i + 1]));
    for (std::ptrdiff_t c = h.d; c < h.o_stride && i + 1 < h.rows; ++c)
      CHECK(std::isnan(static_cast<float>(o.data()[i * h.o_stride + c])));
  }
  return {{o.data(), o.data() + h.d_o.size()},
          {lse.data(), lse.data() + 2 * h.rows},
          {dq.data(), dq.data() + size},
          {dk.data(), dk.data() + size},
          {dv.data(), dv.data() + size}};
}

/// The sums of magnitudes that rounding p and ds is relative to: of |ds_ij k_j|, |ds_ij q_i| and |p_ij d_o_i|.
struct magnitudes {
  std::vector<double> dq, dk, dv;
  template <class Visible>
  magnitudes(const std::vector<double>& qkv, const std::vector<double>& d_o, const std::vector<double>& o,
             const std::vector<double>& lse, std::ptrdiff_t stride, std::ptrdiff_t o_stride, int rows, int d,
             Visible visible)
      : dq(static_cast<std::size_t>(rows * d)), dk(dq), dv(dq) {
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < visible(i); ++j) {
        const double *q = &qkv[0] + i * stride, *k = &qkv[0] + j * stride + d, *v = k + d;
        const double *g = &d_o[0] + i * o_stride, *out = &o[0] + i * o_stride;
        double s = 0, dp = 0;
        for (int c = 0; c < d; ++c) s += q[c] * k[c], dp += g[c] * (v[c] - out[c]);
        const double p = std::exp(scale * s - lse[static_cast<std::size_t>(2 * i)]), ds = std::abs(scale * p * dp);
        for (int c = 0; c < d; ++c) {
          const auto row = static_cast<std::size_t>(i * d + c), key = static_cast<std::size_t>(j * d + c);
          dq[row] += ds * std::abs(k[c]);
          dk[key] += ds * std::abs(q[c]);
          dv[key] += p * std::abs(g[c]);
        }
      }
    }
  }
};

template <class T, class Visible>
void check_against_float64(int rows, int d, Visible visible) {
  CAPTURE(rows);
  CAPTURE(d);
  const head<T> h(rows, d);
  const results<T> r = run(h, visible);
  const auto wide = [](const auto& v) { return std::vector<double>(v.begin(), v.end()); };
  const std::vector<double> qkv = wide(h.qkv), d_o = wide(h.d_o);
  std::vector<double> o(d_o.size()), lse(r.lse.size()), dq(r.dq.size()), dk(dq), dv(dq),
      memory(static_cast<std::size_t>(2 * rows));
  attention_forward_reference<double>(&qkv[0], &qkv[0] + d, &qkv[0] + 2 * d, h.stride, rows, d, scale, visible,
                                      o.data(), h.o_stride, lse.data(), 2, memory.data());
  double o_off = 0, lse_off = 0, gradient_off = 0, gradient_size = 0;
  const auto note = [](double& worst, double off) { worst = off > worst || std::isnan(off) ? off : worst; };
  for (int i = 0; i < rows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    for (int c = 0; c < d; ++c) {
      const std::size_t at = row * static_cast<std::size_t>(h.o_stride) + static_cast<std::size_t>(c);
      note(o_off, std::abs(static_cast<double>(r.o[at]) - o[at]));
    }
    if (visible(i) == 0) {
      CHECK(r.lse[2 * row] == -std::numeric_limits<trm::accumulator<T>>::infinity());
    } else {
      note(lse_off, std::abs(static_cast<double>(r.lse[2 * row]) - lse[2 * row]));
    }
  }
  CHECK(o_off < (std::is_same_v<T, trm::bf16> ? 0.01 : 4e-6));
  CHECK(lse_off < 4e-6);
  // the gradient is a function of the given o and lse: those of the kernel
  const std::vector<double> given_o = wide(r.o), given_lse = wide(r.lse);
  attention_backward_reference<double>(&qkv[0], &qkv[0] + d, &qkv[0] + 2 * d, h.stride, rows, d, scale, visible,
                                       given_o.data(), d_o.data(), h.o_stride, given_lse.data(), 2, dq.data(),
                                       dk.data(), dv.data(), nullptr);
  const bool rounded = std::is_same_v<T, trm::bf16> && current_isa() == isa::amx && d % 32 == 0;
  const magnitudes sums(qkv, d_o, given_o, given_lse, h.stride, h.o_stride, rows, d, visible);
  const double unit = rounded ? 0x1p-8 * 1.01 : 0;  // of p and ds: bf16 has 8 significant bits
  for (std::size_t i = 0; i < dq.size(); ++i) {
    note(gradient_off, std::abs(static_cast<double>(r.dq[i]) - dq[i]) - unit * sums.dq[i]);
    note(gradient_off, std::abs(static_cast<double>(r.dk[i]) - dk[i]) - unit * sums.dk[i]);
    note(gradient_off, std::abs(static_cast<double>(r.dv[i]) - dv[i]) - unit * sums.dv[i]);
    gradient_size = std::max({gradient_size, std::abs(dq[i]), std::abs(dk[i]), std::abs(dv[i])});
  }
  CHECK(gradient_off <= 4e-6 * std::max(1.0, gradient_size));
}

/// f on every instruction set, and for short sequences too.
template <class F>
void on_every_isa(F f) {
  for (isa level : all_isas) {
    if (level > detect_isa()) continue;
    const std::string level_name = name(level);
    CAPTURE(level_name);
    use_isa(level);
    f();
  }
  long_rows = false;  // where it makes a difference
  f();
  long_rows = true;
  use_isa(detect_isa());
}

template <class T>
bool same_bits(const T* a, const T* b, std::ptrdiff_t count) {
  return std::memcmp(a, b, sizeof(T) * static_cast<std::size_t>(count)) == 0;
}

}  // namespace

TEST_CASE_TEMPLATE("attention and its gradient agree with float64 on every instruction set", T, float, trm::bf16) {
  on_every_isa([] {
    for (int rows : {1, 2, 13, 17, 64, 97}) {
      for (int d : {8, 10, 64}) {
        check_against_float64<T>(rows, d, bidirectional(rows));
        check_against_float64<T>(rows, d, causal(rows));
      }
    }
    for (int d : {2, 16, 30, 34, 128}) check_against_float64<T>(33, d, prefix(33));
    for (int rows : {5, 40, 190}) {
      for (int d : {24, 32}) {
        check_against_float64<T>(rows, d, prefix(rows));
        check_against_float64<T>(rows, d, padded(rows));
        check_against_float64<T>(rows, d, late(rows));
      }
    }
  });
}

TEST_CASE_TEMPLATE("a row is the same in a longer sequence, and whatever is in keys it does not see", T, float,
                   trm::bf16) {
  on_every_isa([] {
    const int length = 71;
    for (int d : {18, 32}) {
      const head<T> whole(190, d);
      head<T> cut(length, d), poisoned(190, d);
      std::copy_n(whole.qkv.begin(), cut.qkv.size(), cut.qkv.begin());
      std::copy_n(whole.d_o.begin(), cut.d_o.size(), cut.d_o.begin());
      const T nan = T(std::numeric_limits<float>::quiet_NaN());
      for (std::size_t i = static_cast<std::size_t>(length * whole.stride); i < poisoned.qkv.size(); ++i)
        poisoned.qkv[i] = nan;
      const results<T> a = run(whole, causal(190)), b = run(cut, causal(length)), c = run(poisoned, causal(190));
      for (int i = 0; i < length; ++i) {
        CAPTURE(i);
        for (const results<T>* other : {&b, &c}) {
          CHECK(same_bits(&a.o[0] + i * whole.o_stride, &other->o[0] + i * whole.o_stride, d));
          CHECK(same_bits(&a.lse[0] + 2 * i, &other->lse[0] + 2 * i, 1));
          CHECK(same_bits(&a.dq[0] + i * d, &other->dq[0] + i * d, d));
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("keys that no row sees may hold anything and get no gradient", T, float, trm::bf16, double) {
  const int rows = 45, length = 19;
  for (int d : {12, 32}) {
    head<T> h(rows, d);
    for (int j = length; j < rows; ++j) {
      for (int c = d; c < 3 * d; ++c)
        h.qkv[static_cast<std::size_t>(j * h.stride + c)] = T(std::numeric_limits<float>::quiet_NaN());
    }
    const results<T> r = run(h, [=](int) { return length; });
    for (int i = 0; i < rows; ++i) {
      for (int c = 0; c < d; ++c) {
        const auto at = static_cast<std::size_t>(i * d + c);
        CHECK(std::isfinite(static_cast<double>(r.o[static_cast<std::size_t>(i * h.o_stride + c)])));
        CHECK(std::isfinite(r.dq[at]));
        CHECK(std::isfinite(r.dk[at]));
        CHECK(std::isfinite(r.dv[at]));
        if (i >= length) CHECK(r.dk[at] == 0);
        if (i >= length) CHECK(r.dv[at] == 0);
      }
    }
  }
}

TEST_CASE_TEMPLATE("a value that is not finite reaches the rows that see it, and no other", T, float, trm::bf16,
                   double) {
  const int rows = 40, d = 32, bad = 21;
  for (int part : {0, 1, 2}) {
    CAPTURE(part);
    head<T> h(rows, d);
    h.qkv[static_cast<std::size_t>(bad * h.stride + part * d + 3)] = T(std::numeric_limits<float>::quiet_NaN());
    const results<T> r = run(h, causal(rows));
    for (int i = 0; i < rows; ++i) {
      CAPTURE(i);
      bool o_finite = true, dq_finite = true;
      for (int c = 0; c < d; ++c) {
        const auto at = static_cast<std::size_t>(i * h.o_stride + c);
        o_finite = o_finite && std::isfinite(static_cast<double>(r.o[at]));
        dq_finite = dq_finite && std::isfinite(r.dq[static_cast<std::size_t>(i * d + c)]);
      }
      const bool reached = part == 0 ? i == bad : i >= bad;
      CHECK(o_finite == !reached);
      CHECK(dq_finite == !reached);
    }
  }
}

TEST_CASE_TEMPLATE("a row that sees nothing gives zero and sends no gradient", T, float, trm::bf16, double) {
  const int rows = 20;
  for (int d : {8, 32}) {
    const head<T> h(rows, d);
    const results<T> r = run(h, [](int) { return 0; });
    for (int i = 0; i < rows; ++i) {
      for (int c = 0; c < d; ++c) {
        CHECK(static_cast<double>(r.o[static_cast<std::size_t>(i * h.o_stride + c)]) == 0);
        for (const auto* g : {&r.dq, &r.dk, &r.dv}) CHECK((*g)[static_cast<std::size_t>(i * d + c)] == 0);
      }
    }
  }
}

TEST_CASE("the log of the sum of exponentials is optional") {
  const head<float> h(30, 16);
  const results<float> r = run(h, causal(30));
  workspace memory(attention_forward_workspace<float>(30, 16));
  std::vector<float> o(h.d_o.size());
  attention_forward<float>(h.q(), h.k(), h.v(), h.stride, 30, 16, static_cast<float>(scale), causal(30), o.data(),
                           h.o_stride, nullptr, 0, memory.data());
  for (int i = 0; i < 30; ++i) CHECK(same_bits(&o[0] + i * h.o_stride, &r.o[0] + i * h.o_stride, 16));
}

TEST_CASE("large scores neither overflow nor lose the softmax") {
  on_every_isa([] {
    head<float> h(50, 16);
    for (float& v : h.qkv) v *= 30;
    const results<float> r = run(h, causal(50));
    for (float v : r.dq) CHECK(std::isfinite(v));
    for (int i = 0; i < 50; ++i) CHECK(std::abs(r.o[static_cast<std::size_t>(i * h.o_stride)]) <= 60.0f);
    for (int c = 0; c < 16; ++c)
      CHECK(r.o[static_cast<std::size_t>(c)] == doctest::Approx(static_cast<double>(h.v()[c])));
  });
}
