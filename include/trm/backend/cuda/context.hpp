// SPDX-License-Identifier: MIT
// The CUDA backend: every operation, on a device (device.hpp): a GPU (gpu.cuh), or what stands for one in tests.
#pragma once
#include <cstddef>
#include <cstdint>

#include "trm/backend/count.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/step_state.hpp"
#include "trm/backend/cuda/weights.hpp"
#include "trm/ops/attention.hpp"
#include "trm/ops/embedding.hpp"
#include "trm/ops/halting.hpp"
#include "trm/ops/optimizer.hpp"

namespace trm::cuda {

/// The CUDA backend on a device, which must outlive it. Every pointer and view that an operation is given is in the device's memory,
/// those of the call (lengths, prefixes) too. Operations are asked for and not waited for. What an operation needs besides (scratch
/// memory, tables of rotations) is taken when it is first used, so a step is run once before it is captured.
/// What is computed is the same, bit for bit, every time.
template <class Device>
class context {
 public:
  /// The handle of a parameter; the prepared forms of an aggregate of them.
  template <class T>
  using weight = cuda::weight<T>;
  template <class T, template <class> class Params>
  using prepared = prepared_weights<T, Params>;

  explicit context(Device& d) : device_(d) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  /// What everything runs on.
  Device& device() { return device_; }

  /// Takes memory for everything that `largest` counted.
  template <class T>
  void reserve(const count& largest);

  // ---- products ----
  template <class C, class X, class T, int N, int K, class S>
  void matmul(const C& c, X x, matrix<weight<T>, N, K> w, S out);
  template <class C, class X, class T, int N, int K, class S>
  void matmul_bias(const C& c, X x, matrix<weight<T>, N, K> w, tensor<weight<T>, N> bias, S out);
  template <class C, class D, class T, int N, int K, class S>
  void matmul_input_gradient(const C& c, D d, matrix<weight<T>, N, K> w, S out);
  template <class C, class D, class X, class G, int N, int K>
  void matmul_weight_gradient(const C& c, D d, X x, matrix<G, N, K> dw);
  template <class C, class D, class G, int N>
  void bias_gradient(const C& c, D d, tensor<G, N> db);

  // ---- attention ----
  template <int Heads, class Mask, class C, class Q, class O, class S>
  void attention(const C& c, Q qkv, O o, S lse);
  template <int Heads, class Mask, class Positions, class C, class Q, class O, class S, class Do, class G>
  void attention_gradient(const C& c, Q qkv, O o, S lse, Do d_o, G dqkv);

  // ---- rows ----
  template <class C, class X, class S>
  void emit(const C& c, X x, S out);
  template <class C, class X>
  void zero(const C& c, X x);
  /// f(b) for every sample, on the device: F is a type with a TRM_HD operator() const, no lambda.
  template <class C, class F>
  void each_sample(const C& c, F f);

  // ---- embedding ----
  template <int P, int W, class C, class M, class T, int V, int D, class X>
  void embed(const C& c, embedding_input<M> in, tensor<weight<T>, V, D> table, double scale, X x);
  template <class C, class T, int L, int D, class X>
  void add_positions(const C& c, tensor<weight<T>, L, D> positions, double scale, X x);
  template <int P, int W, class C, class X, class G, int V, int D, class M>
  void embed_gradient(const C& c, const int* tokens, X dx, double scale, tensor<G, V, D> table, M* puzzle_gradient);
  template <class C, class X, class G, int L, int D>
  void positions_gradient(const C& c, X dx, double scale, tensor<G, L, D> positions);
  template <class C, class Z, class M, int D>
  void reset(const C& c, Z z, tensor<M, D> initial, const unsigned char* halted);

  // ---- losses and halting ----
  template <class Loss, class C, class X, class G>
  void cross_entropy(const C& c, X logits, const int* labels, double scale, G d_logits, int* predictions,
                     token_result* results);
  template <class C, class Q, class N, class G>
  void halting_loss(const C& c, Q q, N next_q, const token_result* results, const int* steps, int max_steps,
                    double scale, G dq, halting_result* out);
  template <class C>
  void halt(const C& c, halting_rule rule, draw_key key, const halting_result* q, const int* steps,
            unsigned char* halted);
  /// The same with seed and step of a step_state in device memory, for captured steps.
  template <class C>
  void halt(const C& c, halting_rule rule, const step_state* state, std::uint32_t first_sample, const halting_result* q,
            const int* steps, unsigned char* halted);

  // ---- flat buffers ----
  template <class T>
  void adam_atan2(T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale);
  template <class T>
  void adamw(T* p, T* m, T* v, const T* g, std::size_t n, adam_step s, double scale);
  template <class T>
  void ema(T* average, const T* p, std::size_t n, double rate);
  /// Waits for the result.
  template <class T>
  double squared_norm(const T* g, std::size_t n);
  template <class T>
  void add(T* sum, const T* g, std::size_t n);
  template <class T>
  void clear(T* g, std::size_t n);

  // ---- the same for captured steps: numbers are read from, and written to, device memory ----
  /// state: gradient_norm = |g|, finite, gradient_scale = clip_norm / |g| where the norm is larger than clip_norm > 0, else 1.
  template <class T>
  void gradient_norm(const T* g, std::size_t n, step_state* state);
  /// With state's factors and gradient_scale; nothing happens where state's `finite` is 0.
  template <class T>
  void adam_atan2(T* p, T* m, T* v, const T* g, std::size_t n, const step_state* state);
  template <class T>
  void adamw(T* p, T* m, T* v, const T* g, std::size_t n, const step_state* state);

  // ---- puzzle rows ----
  /// out[i] = row ids[i] of table, [n, width].
  template <class M>
  void gather(const M* table, int width, const int* ids, int n, M* out);
  /// puzzle_table::sign_sgd on a table [rows, width] in device memory, with state's `puzzle` numbers; nothing where `finite` is 0.
  template <class M>
  void sign_sgd(M* table, int width, const int* ids, const M* gradients, int n, const step_state* state);

 private:
  Device& device_;
};

}  // namespace trm::cuda
