// SPDX-License-Identifier: MIT
// Attention of bf16 by cuDNN, for a trm::cuda::gpu. Compiled by nvcc or a C++ compiler; needs cudnn-frontend 1.13 and cuDNN 9.
#pragma once
#include <cuda_runtime.h>
#include <cudnn_frontend.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trm/backend/cuda/attention_provider.hpp"
#include "trm/backend/cuda/gpu_error.cuh"
#include "trm/core/error.hpp"

namespace trm::cuda {

namespace detail {

/// Numbers by which the arrays of a cuDNN graph are known.
enum attention_array : std::int64_t { of_q = 1, of_k, of_v, of_o, of_statistics, of_d_o, of_dq, of_dk, of_dv };

/// A graph of one operation on such arrays, not yet built.
class attention_graph {
 public:
  using graph = cudnn_frontend::graph::Graph;
  using tensor = std::shared_ptr<cudnn_frontend::graph::Tensor_attributes>;

  /// Forward.
  explicit attention_graph(const attention_task& t) : attention_graph(t, 0) {
    auto options = cudnn_frontend::graph::SDPA_attributes().set_name("attention").set_attn_scale(t.scale);
    options.set_causal_mask(t.causal).set_generate_stats(t.statistics != nullptr);
    const auto [o, statistics] = graph_->sdpa(input(of_q, t.q), input(of_k, t.k), input(of_v, t.v), options);
    output(o, of_o, t.o);
    if (t.statistics != nullptr) describe(*statistics, of_statistics).set_output(true);
  }
  /// Backward, by the algorithm that adds in a fixed order.
  explicit attention_graph(const attention_gradient_task& g) : attention_graph(g.of, 0) {
    const attention_task& t = g.of;
    auto options = cudnn_frontend::graph::SDPA_backward_attributes().set_name("attention_gradient");
    options.set_attn_scale(t.scale).set_causal_mask(t.causal).set_deterministic_algorithm(true);
    cudnn_frontend::graph::Tensor_attributes statistics;
    const auto [dq, dk, dv] = graph_->sdpa_backward(
        input(of_q, t.q), input(of_k, t.k), input(of_v, t.v), input(of_o, t.o), input(of_d_o, g.d_o),
        graph_->tensor(describe(statistics.set_name("statistics"), of_statistics)), options);
    output(dq, of_dq, g.dq), output(dk, of_dk, g.dk), output(dv, of_dv, g.dv);
  }
  /// What was described.
  const std::shared_ptr<graph>& description() const { return graph_; }

 private:
  attention_graph(const attention_task& t, int) : task_(t) {
    using type = cudnn_frontend::DataType_t;
    graph_->set_io_data_type(type::BFLOAT16).set_intermediate_data_type(type::FLOAT).set_compute_data_type(type::FLOAT);
  }
  using numbers = std::vector<std::int64_t>;  // nvcc takes no list of them as the argument of a call in a template

  /// Extents and strides are of (sample, head, row, channel).
  template <class T>
  cudnn_frontend::graph::Tensor_attributes& describe(cudnn_frontend::graph::Tensor_attributes& a, std::int64_t number,
                                                     const attention_rows<T>& x) const {
    const numbers extents{task_.samples, task_.heads, task_.rows, task_.width},
        strides{x.sample, task_.width, x.row, 1};
    return a.set_uid(number).set_dim(extents).set_stride(strides);
  }
  cudnn_frontend::graph::Tensor_attributes& describe(cudnn_frontend::graph::Tensor_attributes& a,
                                                     std::int64_t number) const {
    const std::int64_t rows = task_.rows;
    const numbers extents{task_.samples, task_.heads, rows, 1}, strides{task_.heads * rows, rows, 1, 1};
    return a.set_uid(number).set_data_type(cudnn_frontend::DataType_t::FLOAT).set_dim(extents).set_stride(strides);
  }
  template <class T>
  tensor input(attention_array number, const attention_rows<T>& x) {
    cudnn_frontend::graph::Tensor_attributes a;
    a.set_name("array " + std::to_string(static_cast<int>(number)));
    return graph_->tensor(describe(a, number, x));
  }
  void output(const tensor& to, attention_array number, const attention_rows<bf16>& x) {
    describe(*to, number, x).set_output(true);
  }

  attention_task task_;
  std::shared_ptr<graph> graph_ = std::make_shared<graph>();
};

/// Throws where a call of the library failed.
inline void check(cudnn_frontend::error_t e, const char* call) {
  if (e.is_good()) return;
  std::string text(e.get_message());
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.append("; compute attention without cuDNN: attend_by(nullptr)");
  throw error(call, text);
}
inline void check(cudnnStatus_t s, const char* call) {
  if (s == CUDNN_STATUS_SUCCESS) return;
  std::string text(cudnnGetErrorString(s));
  text.append("; are all libraries of one cuDNN 9 in the path, and is there memory left on the device?");
  throw error(call, text);
}

}  // namespace detail

/// Attention and its gradient of bf16 heads of up to 128 channels, a multiple of 8, by cuDNN's fused kernels; statistics [samples, heads,
/// rows] are its own. A plan is built for each shape when it is first asked for, of those whose sums have a fixed order.
///
///   trm::cuda::gpu device;
///   trm::cuda::cudnn_attention library(device.stream());  // outlives trainers and solvers on the device
///   device.attend_by(&library);
class cudnn_attention final : public attention_provider {
 public:
  /// For what is asked of this stream. Throws where the library cannot be loaded.
  explicit cudnn_attention(cudaStream_t stream) {
    cudnnHandle_t handle = nullptr;
    detail::check(cudnnCreate(&handle), "cudnnCreate");
    handle_.reset(handle);
    detail::check(cudnnSetStream(handle, stream), "cudnnSetStream");
  }

  bool takes(const attention_task& t) const override {
    return t.width % 8 == 0 && t.width <= 128 && detail::aligned_to_16_bytes(t.q) && detail::aligned_to_16_bytes(t.k) &&
           detail::aligned_to_16_bytes(t.v) && detail::aligned_to_16_bytes(t.o);
  }
  void forward(const attention_task& t) override { run(t, {t, {}, {}, {}, {}}, pointers_of(t)); }
  void backward(const attention_gradient_task& g) override {
    arrays at = pointers_of(g.of);
    at[detail::of_d_o] = const_cast<bf16*>(g.d_o.data);
    at[detail::of_dq] = g.dq.data, at[detail::of_dk] = g.dk.data, at[detail::of_dv] = g.dv.data;
    run(g, g, std::move(at));
  }

 private:
  using arrays = std::unordered_map<std::int64_t, void*>;
  using key = std::array<std::int64_t, 23>;
  struct plan {
    std::shared_ptr<cudnn_frontend::graph::Graph> graph;
    std::size_t workspace;  // bytes
  };
  struct destroy {
    void operator()(cudnnHandle_t h) const { cudnnDestroy(h); }
  };
  struct release {
    void operator()(void* p) const { cudaFree(p); }
  };

  static arrays pointers_of(const attention_task& t) {
    arrays at{{detail::of_q, const_cast<bf16*>(t.q.data)},
              {detail::of_k, const_cast<bf16*>(t.k.data)},
              {detail::of_v, const_cast<bf16*>(t.v.data)},
              {detail::of_o, t.o.data}};
    if (t.statistics != nullptr) at[detail::of_statistics] = t.statistics;
    return at;
  }
  static key key_of(const attention_gradient_task& g, bool backward) {
    const attention_task& t = g.of;
    return {backward,    t.samples,    t.heads,    t.rows,      t.width,    t.causal,    t.statistics != nullptr,
            t.q.sample,  t.q.row,      t.k.sample, t.k.row,     t.v.sample, t.v.row,     t.o.sample,
            t.o.row,     g.d_o.sample, g.d_o.row,  g.dq.sample, g.dq.row,   g.dk.sample, g.dk.row,
            g.dv.sample, g.dv.row};
  }
  template <class Task>
  void run(const Task& task, const attention_gradient_task& all, arrays at) {
    const key k = key_of(all, std::is_same_v<Task, attention_gradient_task>);
    auto found = plans_.find(k);
    if (found == plans_.end()) found = plans_.emplace(k, build(detail::attention_graph(task))).first;
    const plan& p = found->second;
    detail::check(p.graph->execute(handle_.get(), at, workspace(p.workspace)), "cuDNN, attention");
  }
  plan build(const detail::attention_graph& described) {
    constexpr const char* call = "cuDNN, a plan for attention";
    cudnn_frontend::graph::Graph& g = *described.description();
    detail::check(g.validate(), call);
    detail::check(g.build_operation_graph(handle_.get()), call);
    detail::check(g.create_execution_plans({cudnn_frontend::HeurMode_t::A}), call);
    g.deselect_numeric_notes({cudnn_frontend::NumericalNote_t::NONDETERMINISTIC});
    detail::check(g.check_support(handle_.get()), call);
    detail::check(g.build_plans(handle_.get(), cudnn_frontend::BuildPlanPolicy_t::HEURISTICS_CHOICE), call);
    std::int64_t bytes = 0;
    detail::check(g.get_workspace_size(bytes), call);
    workspace(static_cast<std::size_t>(bytes));
    return {described.description(), static_cast<std::size_t>(bytes)};
  }
  /// Memory for one operation at a time. What was too small is kept: captured steps may use it.
  void* workspace(std::size_t bytes) {
    if (bytes > workspace_bytes_) {
      void* p = nullptr;
      detail::check_allocation(cudaMalloc(&p, bytes), "cudaMalloc, workspace of cuDNN", bytes);
      workspaces_.emplace_back(p);
      workspace_bytes_ = bytes;
    }
    return workspaces_.empty() ? nullptr : workspaces_.back().get();
  }

  std::unique_ptr<std::remove_pointer_t<cudnnHandle_t>, destroy> handle_;
  std::vector<std::unique_ptr<void, release>> workspaces_;
  std::size_t workspace_bytes_ = 0;
  std::map<key, plan> plans_;
};

}  // namespace trm::cuda
