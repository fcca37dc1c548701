// SPDX-License-Identifier: MIT
// Products by cuBLASLt: an algorithm for each shape, chosen once, the same bits every time.
#pragma once
#include <cublasLt.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>

#include "trm/backend/cuda/column_major.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/gpu_error.cuh"
#include "trm/core/error.hpp"

namespace trm::cuda::detail {

/// Throws where a call of the library failed.
inline void check(cublasStatus_t s, const char* call) {
  if (s == CUBLAS_STATUS_SUCCESS) return;
  std::string text(cublasLtGetStatusString(s));
  text.append(" (").append(cublasLtGetStatusName(s)).append(")");
  if (s == CUBLAS_STATUS_NOT_INITIALIZED || s == CUBLAS_STATUS_ALLOC_FAILED)
    text.append("; is there memory left on the device?");
  throw error(call, text);
}

/// Products of one device.
class library_products {
 public:
  library_products() = default;
  library_products(const library_products&) = delete;
  library_products& operator=(const library_products&) = delete;
  ~library_products() {
    plans_.clear();
    if (workspace_ != nullptr) cudaFree(workspace_);
    if (handle_ != nullptr) cublasLtDestroy(handle_);
  }

  /// See trm::cuda::product.
  void multiply(const product& p, cudaStream_t stream) {
    const column_factor x = left_factor(p.b, p.k, p.n), y = right_factor(p.a, p.m, p.k);
    const plan& chosen = plan_of(p, x, y);
    const float one = 1, zero = 0;
    const double one64 = 1, zero64 = 0;
    const bool wide = p.type == element::float64;
    const void *alpha = wide ? static_cast<const void*>(&one64) : &one,
               *beta = !p.accumulate ? (wide ? static_cast<const void*>(&zero64) : &zero) : alpha;
    check(cublasLtMatmul(handle_, chosen.operation.get(), alpha, x.data, chosen.x.get(), y.data, chosen.y.get(), beta,
                         p.out, chosen.out.get(), p.out, chosen.out.get(), &chosen.algorithm, workspace_,
                         workspace_bytes, stream),
          "cublasLtMatmul");
  }

 private:
  // What the library's documentation recommends for Hopper.
  static constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

  struct destroy {
    void operator()(cublasLtMatmulDesc_t d) const { cublasLtMatmulDescDestroy(d); }
    void operator()(cublasLtMatrixLayout_t l) const { cublasLtMatrixLayoutDestroy(l); }
    void operator()(cublasLtMatmulPreference_t p) const { cublasLtMatmulPreferenceDestroy(p); }
  };
  template <class Handle>
  using owned = std::unique_ptr<std::remove_pointer_t<Handle>, destroy>;
  using layout_handle = owned<cublasLtMatrixLayout_t>;

  struct plan {
    owned<cublasLtMatmulDesc_t> operation;
    layout_handle x, y, out;
    cublasLtMatmulAlgo_t algorithm;
  };
  using key = std::array<std::int64_t, 17>;

  /// The largest power of two up to 256 that an address is a multiple of.
  static std::uint32_t alignment_of(const void* p) {
    const auto at = reinterpret_cast<std::uintptr_t>(p) | 256;
    return static_cast<std::uint32_t>(at & (~at + 1));
  }
  static layout_handle make_layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns, std::int64_t leading,
                                   int samples, std::int64_t sample) {
    cublasLtMatrixLayout_t l = nullptr;
    check(cublasLtMatrixLayoutCreate(&l, type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns),
                                     leading),
          "cublasLtMatrixLayoutCreate");
    layout_handle made(l);
    if (samples > 1) {
      const std::int32_t count = samples;
      check(cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count),
            "cublasLt batch");
      check(cublasLtMatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &sample, sizeof sample),
            "cublasLt batch");
    }
    return made;
  }
  template <class T>
  static void prefer(cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t what, T value) {
    check(cublasLtMatmulPreferenceSetAttribute(p, what, &value, sizeof value), "cublasLtMatmulPreferenceSetAttribute");
  }

  const plan& plan_of(const product& p, const column_factor& x, const column_factor& y) {
    const key k{static_cast<int>(p.type),
                p.samples,
                p.m,
                p.n,
                p.k,
                p.accumulate,
                p.out_row,
                p.out_sample,
                x.transposed,
                x.leading,
                x.sample,
                y.transposed,
                y.leading,
                y.sample,
                alignment_of(x.data),
                alignment_of(y.data),
                alignment_of(p.out)};
    const auto found = plans_.find(k);
    if (found != plans_.end()) return found->second;
    return plans_.emplace(k, choose(p, x, y)).first->second;
  }

  plan choose(const product& p, const column_factor& x, const column_factor& y) {
    if (handle_ == nullptr) {
      check(cublasLtCreate(&handle_), "cublasLtCreate");
      check_allocation(cudaMalloc(&workspace_, workspace_bytes), "cudaMalloc, workspace of cuBLASLt", workspace_bytes);
    }
    const bool wide = p.type == element::float64;
    const cudaDataType_t sums = wide ? CUDA_R_64F : CUDA_R_32F, given = p.type == element::bf16 ? CUDA_R_16BF : sums;
    plan made;
    cublasLtMatmulDesc_t operation = nullptr;
    // float32 means float32: TF32 would be CUBLAS_COMPUTE_32F_FAST_TF32
    check(cublasLtMatmulDescCreate(&operation, wide ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F, sums),
          "cublasLtMatmulDescCreate");
    made.operation.reset(operation);
    const cublasOperation_t of_x = x.transposed ? CUBLAS_OP_T : CUBLAS_OP_N,
                            of_y = y.transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &of_x, sizeof of_x),
          "cublasLt transpose");
    check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSB, &of_y, sizeof of_y),
          "cublasLt transpose");
    made.x = make_layout(given, x.rows, x.columns, x.leading, p.samples, x.sample);
    made.y = make_layout(given, y.rows, y.columns, y.leading, p.samples, y.sample);
    made.out = make_layout(sums, p.n, p.m, std::max<std::int64_t>(p.out_row, p.n), p.samples, p.out_sample);

    cublasLtMatmulPreference_t raw = nullptr;
    check(cublasLtMatmulPreferenceCreate(&raw), "cublasLtMatmulPreferenceCreate");
    const owned<cublasLtMatmulPreference_t> preference(raw);
    prefer(raw, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(workspace_bytes));
    // parts of a long sum may be added up from the workspace, in order, but not by atomic additions in place
    prefer(raw, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
           static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    prefer(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(x.data));
    prefer(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(y.data));
    prefer(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(p.out));
    prefer(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(p.out));
    cublasLtMatmulHeuristicResult_t best{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle_, operation, made.x.get(), made.y.get(), made.out.get(), made.out.get(),
                                         raw, 1, &best, &count),
          "cublasLtMatmulAlgoGetHeuristic");
    if (count == 0) {
      std::string text("no algorithm for a product of ");
      text.append(std::to_string(p.m))
          .append(" x ")
          .append(std::to_string(p.k))
          .append(" x ")
          .append(std::to_string(p.n));
      throw error("cuBLASLt", text);
    }
    made.algorithm = best.algo;
    return made;
  }

  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<key, plan> plans_;
};

}  // namespace trm::cuda::detail
