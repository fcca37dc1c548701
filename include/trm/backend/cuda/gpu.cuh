// SPDX-License-Identifier: MIT
// A CUDA device: one stream for the work and one for copies ahead of it, cuBLASLt for products, captured graphs. Compiled by nvcc.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "trm/backend/cuda/attention_provider.hpp"
#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/backend/cuda/gpu_error.cuh"
#include "trm/backend/cuda/gpu_products.cuh"
#include "trm/core/hd.hpp"

namespace trm::cuda {

/// The block that runs a kernel; see block.hpp. Its members do nothing on the host, where no kernel runs.
class gpu_block {
 public:
  /// The block's number.
  TRM_HD int index() const {
#if defined(__CUDA_ARCH__)
    return static_cast<int>(blockIdx.x);
#else
    return 0;
#endif
  }
  /// The thread's number in the block.
  TRM_HD int thread() const {
#if defined(__CUDA_ARCH__)
    return static_cast<int>(threadIdx.x);
#else
    return 0;
#endif
  }
  /// Threads of a block.
  TRM_HD int threads() const {
#if defined(__CUDA_ARCH__)
    return static_cast<int>(blockDim.x);
#else
    return 0;
#endif
  }
  /// The block's barrier.
  TRM_HD void sync() {
#if defined(__CUDA_ARCH__)
    __syncthreads();
#endif
  }
  /// The warp's barrier.
  TRM_HD void warp_sync() {
#if defined(__CUDA_ARCH__)
    __syncwarp();
#endif
  }
  /// The block's memory.
  template <class T>
  TRM_HD T* shared() const {
#if defined(__CUDA_ARCH__)
    extern __shared__ __align__(16) unsigned char trm_shared_memory[];
    return reinterpret_cast<T*>(trm_shared_memory);
#else
    return nullptr;
#endif
  }
  /// The v of another thread of the warp.
  template <class T>
  TRM_HD T exchange(T v, [[maybe_unused]] int mask) {
#if defined(__CUDA_ARCH__)
    return __shfl_xor_sync(0xffffffffu, v, mask);
#else
    return v;
#endif
  }
};

/// The only function that starts on a device.
template <class Kernel>
__global__ void __launch_bounds__(most_threads) run(const __grid_constant__ Kernel kernel) {
  gpu_block b;
  kernel(b);
}

/// Models trm::cuda::device. Not for several threads at once. Everything is deterministic: products have one algorithm for each shape,
/// chosen when it is first asked for, without sums by atomic additions.
class gpu {
 public:
  /// Device `number` of those that are visible. Throws where there is none, where it is older than sm_80, and where the program has no
  /// code for it.
  explicit gpu(int number = 0) : number_(number) {
    detail::check_devices(number);
    detail::check(cudaSetDevice(number), "cudaSetDevice");
    detail::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    detail::check(cudaStreamCreateWithFlags(&ahead_, cudaStreamNonBlocking), "cudaStreamCreate");
    launch(empty_kernel{}, 1, warp_size, 0);
    synchronize();
  }
  gpu(const gpu&) = delete;
  gpu& operator=(const gpu&) = delete;
  ~gpu() {
    cudaStreamSynchronize(stream_);
    cudaStreamDestroy(ahead_);
    cudaStreamDestroy(stream_);
  }
  /// The stream of all work but the copies ahead, for libraries that bring their own.
  cudaStream_t stream() const { return stream_; }
  /// Its number, among those that are visible.
  int number() const { return number_; }

  // ---- memory ----
  void* allocate(std::size_t n) {
    void* p = nullptr;
    detail::check_allocation(cudaMalloc(&p, n), "cudaMalloc", n);
    return p;
  }
  void release(void* p) { cudaFree(p); }
  void* allocate_host(std::size_t n) {
    void* p = nullptr;
    detail::check_allocation(cudaMallocHost(&p, n), "cudaMallocHost", n);
    return p;
  }
  void release_host(void* p) { cudaFreeHost(p); }

  // ---- copies ----
  void copy_in(void* to, const void* from, std::size_t n) {
    detail::check(cudaMemcpyAsync(to, from, n, cudaMemcpyHostToDevice, stream_), "cudaMemcpy to the device");
    synchronize();
  }
  void copy_out(void* to, const void* from, std::size_t n) {
    copy_out_later(to, from, n);
    synchronize();
  }
  void copy(void* to, const void* from, std::size_t n) {
    detail::check(cudaMemcpyAsync(to, from, n, cudaMemcpyDeviceToDevice, stream_), "cudaMemcpy within the device");
  }
  void clear(void* to, std::size_t n) { detail::check(cudaMemsetAsync(to, 0, n, stream_), "cudaMemset"); }
  void synchronize() { detail::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }
  void copy_out_later(void* to, const void* from, std::size_t n) {
    detail::check(cudaMemcpyAsync(to, from, n, cudaMemcpyDeviceToHost, stream_), "cudaMemcpy from the device");
  }
  void begin_ahead() { follow(ahead_, stream_, worked_); }
  void copy_in_ahead(void* to, const void* from, std::size_t n) {
    detail::check(cudaMemcpyAsync(to, from, n, cudaMemcpyHostToDevice, ahead_), "cudaMemcpy ahead");
  }
  void join_ahead() { follow(stream_, ahead_, copied_); }
  /// A point in the order of work. Its event is made when it is first recorded, and is used again from then on.
  class mark {
   public:
    /// It is now after all that was asked of the stream.
    void record(cudaStream_t stream) {
      if (!event_) {
        cudaEvent_t e = nullptr;
        detail::check(cudaEventCreateWithFlags(&e, cudaEventDisableTiming), "cudaEventCreate");
        event_.reset(e);
      }
      detail::check(cudaEventRecord(event_.get(), stream), "cudaEventRecord");
    }
    /// The event that stands for it.
    cudaEvent_t event() const { return event_.get(); }

   private:
    struct destroy {
      void operator()(cudaEvent_t e) const { cudaEventDestroy(e); }
    };
    std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, destroy> event_;
  };
  /// After all that was asked for.
  void record(mark& m) { m.record(stream_); }
  /// Returns when it has been reached.
  void wait(const mark& m) { detail::check(cudaEventSynchronize(m.event()), "cudaEventSynchronize"); }

  // ---- work ----
  template <class Kernel>
  void launch(const Kernel& kernel, int blocks, int threads, std::size_t shared) {
    static_assert(std::is_trivially_copyable_v<Kernel>, "a kernel is copied to the device byte by byte");
    static_assert(sizeof(Kernel) <= 4000, "a kernel's members must fit the parameters of a launch");
    if (shared > default_shared) {
      detail::check(cudaFuncSetAttribute(reinterpret_cast<const void*>(&run<Kernel>),
                                         cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)),
                    "cudaFuncSetAttribute, shared memory");
    }
    run<Kernel><<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), shared, stream_>>>(kernel);
    detail::check(cudaGetLastError(), "kernel launch");
  }
  void multiply(const product& p) { products_.multiply(p, stream_); }
  /// Attention of bf16 is this library's from now on, where it takes it; null: of our own kernels. Not while there are captured steps.
  void attend_by(attention_provider* library) { attention_ = library; }
  /// Whose attention it is.
  attention_provider* attention() const { return attention_; }

  /// What was captured.
  class graph {
   public:
    /// Owns it; to be launched on the stream.
    graph(cudaGraphExec_t executable, cudaStream_t stream) : executable_(executable), stream_(stream) {}
    /// Does it.
    void launch() { detail::check(cudaGraphLaunch(executable_.get(), stream_), "cudaGraphLaunch"); }

   private:
    struct destroy {
      void operator()(cudaGraphExec_t e) const { cudaGraphExecDestroy(e); }
    };
    std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, destroy> executable_;
    cudaStream_t stream_;
  };
  /// What f asks for.
  template <class F>
  graph capture(F f) {
    detail::check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t recorded = nullptr;
    try {
      f();
    } catch (...) {
      cudaStreamEndCapture(stream_, &recorded);
      if (recorded != nullptr) cudaGraphDestroy(recorded);
      throw;
    }
    detail::check(cudaStreamEndCapture(stream_, &recorded), "cudaStreamEndCapture");
    cudaGraphExec_t executable = nullptr;
    const cudaError_t result = cudaGraphInstantiate(&executable, recorded, 0);
    cudaGraphDestroy(recorded);
    detail::check(result, "cudaGraphInstantiate");
    return {executable, stream_};
  }

 private:
  static constexpr std::size_t default_shared = std::size_t{48} << 10;  // more has to be asked for

  /// `later` goes on when it has reached the point where `earlier` is now.
  static void follow(cudaStream_t later, cudaStream_t earlier, mark& m) {
    m.record(earlier);
    detail::check(cudaStreamWaitEvent(later, m.event(), 0), "cudaStreamWaitEvent");
  }

  int number_;
  cudaStream_t stream_ = nullptr, ahead_ = nullptr;
  mark worked_, copied_;  // of the one for the other
  detail::library_products products_;
  attention_provider* attention_ = nullptr;
};

static_assert(device<gpu>);

}  // namespace trm::cuda
