// SPDX-License-Identifier: MIT
// A device for the CUDA backend in the memory of the host: what kernels, copies and graphs mean, without a GPU and without its speed.
#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/fibers.hpp"
#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/core/error.hpp"
#include "trm/core/numerics.hpp"

namespace trm::cuda {

/// How strict an emulated GPU is.
struct emulation_options {
  std::uint64_t order = 0;  // 0: blocks and threads run in order; otherwise in an order drawn from this number
  bool guarded =
      true;  // device memory cannot be read or written but by device operations: the program ends with SIGSEGV
};

/// The block of an emulated kernel; see block.hpp.
class emulated_block {
 public:
  emulated_block(testing::fibers& fibers, int index, int thread, int threads, std::byte* shared, std::byte* slots)
      : fibers_(fibers), index_(index), thread_(thread), threads_(threads), shared_(shared), slots_(slots) {}
  int index() const { return index_; }
  int thread() const { return thread_; }
  int threads() const { return threads_; }
  void sync() { fibers_.wait_for_all(); }
  void warp_sync() { fibers_.wait_for_group(); }
  template <class T>
  T* shared() const {
    return reinterpret_cast<T*>(shared_);
  }
  template <class T>
  T exchange(T v, int mask) {
    static_assert(sizeof(T) <= slot_bytes);
    turn_ = !turn_;  // who is late still reads the slots of the last exchange
    std::byte* slots = slots_ + (turn_ ? threads_ * slot_bytes : 0);
    std::memcpy(slots + thread_ * slot_bytes, &v, sizeof(T));
    warp_sync();
    std::memcpy(&v, slots + (thread_ ^ mask) * slot_bytes, sizeof(T));
    return v;
  }
  static constexpr int slot_bytes = 8;

 private:
  testing::fibers& fibers_;
  int index_, thread_, threads_;
  bool turn_ = false;
  std::byte *shared_, *slots_;
};

/// Models trm::cuda::device. Fresh device memory and fresh shared memory are NaN; a barrier that not all threads reach, and whatever a
/// captured graph cannot hold, throws. Copies ahead are done when they are joined. It takes no memory of the host for work that it has
/// done before. Not for several threads at once.
class emulated_gpu {
  using work = std::function<void()>;

 public:
  explicit emulated_gpu(emulation_options options = {}) : options_(options) {}
  emulated_gpu(const emulated_gpu&) = delete;
  emulated_gpu& operator=(const emulated_gpu&) = delete;
  ~emulated_gpu() {
    for (const auto& [p, size] : memory_) ::munmap(p, size);
  }

  // ---- memory ----
  void* allocate(std::size_t n) {
    refuse_in_capture("allocate");
    const std::size_t size = (n + page - 1) / page * page;
    void* p = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    std::memset(p, 0xff, size);
    memory_.emplace_back(p, size);
    if (options_.guarded) ::mprotect(p, size, PROT_NONE);
    ++allocations;
    return p;
  }
  void release(void* p) {
    const auto at = std::find_if(memory_.begin(), memory_.end(), [&](const auto& e) { return e.first == p; });
    if (at == memory_.end()) return;
    ::munmap(p, at->second);
    memory_.erase(at);
  }
  void* allocate_host(std::size_t n) { return ::operator new(n, std::align_val_t(256)); }
  void release_host(void* p) { ::operator delete(p, std::align_val_t(256)); }

  // ---- copies ----
  void copy_in(void* to, const void* from, std::size_t n) {
    refuse_in_capture("copy_in");
    touch([=] { std::memcpy(to, from, n); });
  }
  void copy_out(void* to, const void* from, std::size_t n) {
    refuse_in_capture("copy_out");
    touch([=] { std::memcpy(to, from, n); });
  }
  void copy(void* to, const void* from, std::size_t n) {
    submit([=] { std::memmove(to, from, n); });
  }
  void clear(void* to, std::size_t n) {
    submit([=] { std::memset(to, 0, n); });
  }
  void synchronize() { refuse_in_capture("synchronize"); }
  void begin_ahead() { refuse_in_capture("begin_ahead"); }
  void copy_in_ahead(void* to, const void* from, std::size_t n) {
    refuse_in_capture("copy_in_ahead");
    ahead_.push_back({to, from, n});
  }
  void join_ahead() {
    refuse_in_capture("join_ahead");
    for (const copy_ahead& c : ahead_) touch([&] { std::memcpy(c.to, c.from, c.n); });
    ahead_.clear();
  }
  void copy_out_later(void* to, const void* from, std::size_t n) {
    submit([=] { std::memcpy(to, from, n); });
  }
  struct mark {};
  void record(mark&) { refuse_in_capture("record"); }
  void wait(const mark&) { refuse_in_capture("wait"); }

  // ---- work ----
  template <class Kernel>
  void launch(const Kernel& kernel, int blocks, int threads, std::size_t shared) {
    static_assert(std::is_trivially_copyable_v<Kernel>, "a kernel is copied to the device byte by byte");
    static_assert(sizeof(Kernel) <= 4000, "a kernel's members must fit the parameters of a launch");
    if (blocks < 1 || threads < warp_size || threads > most_threads || threads % warp_size != 0 ||
        shared > most_shared) {
      throw error("emulated launch", std::to_string(blocks) + " blocks of " + std::to_string(threads) +
                                         " threads with " + std::to_string(shared) + " bytes: a GPU refuses that");
    }
    submit([this, kernel, blocks, threads, shared] { run(kernel, blocks, threads, shared); });
  }
  void multiply(const product& p) {
    submit([this, p] {
      ++products;
      switch (p.type) {
        case element::bf16:
          return multiply_as<bf16>(p);
        case element::float32:
          return multiply_as<float>(p);
        case element::float64:
          return multiply_as<double>(p);
      }
    });
  }
  /// What was recorded.
  class graph {
   public:
    graph(emulated_gpu& gpu, std::vector<work> recorded) : gpu_(&gpu), recorded_(std::move(recorded)) {}
    void launch() {
      for (const work& w : recorded_) gpu_->touch(w);
    }

   private:
    emulated_gpu* gpu_;
    std::vector<work> recorded_;
  };
  template <class F>
  graph capture(F f) {
    refuse_in_capture("capture");
    std::vector<work> recorded;
    recording_ = &recorded;
    try {
      f();
    } catch (...) {
      recording_ = nullptr;
      throw;
    }
    recording_ = nullptr;
    return {*this, std::move(recorded)};
  }

  int launches = 0, products = 0, allocations = 0;  // done so far, those of graphs included

 private:
  static constexpr std::size_t page = 4096;

  void refuse_in_capture(const char* what) const {
    if (recording_ != nullptr) throw error(std::string("emulated ") + what, "cannot be part of a captured graph");
  }
  void protect(int how) {
    if (!options_.guarded) return;
    for (const auto& [p, size] : memory_) ::mprotect(p, size, how);
  }
  /// f() with the device's memory within reach.
  template <class F>
  void touch(const F& f) {
    protect(PROT_READ | PROT_WRITE);
    try {
      f();
    } catch (...) {
      protect(PROT_NONE);
      throw;
    }
    protect(PROT_NONE);
  }
  template <class F>
  void submit(F f) {
    if (recording_ != nullptr) {
      recording_->push_back(work(std::move(f)));
    } else {
      touch(f);
    }
  }
  /// 0, ..., n - 1, in the order that the options ask for.
  const std::vector<int>& ordered(std::vector<int>& order, int n) {
    order.resize(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    if (options_.order == 0) return order;
    for (std::size_t i = order.size(); i > 1; --i) {
      state_ = state_ * 6364136223846793005u + options_.order * 2 + 1;
      std::swap(order[i - 1], order[(state_ >> 33) % i]);
    }
    return order;
  }
  template <class Kernel>
  void run(const Kernel& kernel, int blocks, int threads, std::size_t shared) {
    ++launches;
    shared_.resize((shared + 15) / 16 * 2 + 2);
    slots_.resize(static_cast<std::size_t>(2 * threads));
    for (int index : ordered(blocks_, blocks)) {
      std::memset(shared_.data(), 0xff, shared_.size() * sizeof(double));
      auto* memory = reinterpret_cast<std::byte*>(shared_.data());
      memory += reinterpret_cast<std::uintptr_t>(memory) % 16;
      fibers_.run(threads, warp_size, ordered(threads_, threads), [&](int thread) {
        emulated_block b(fibers_, index, thread, threads, memory, reinterpret_cast<std::byte*>(slots_.data()));
        kernel(b);
      });
    }
  }
  template <class T>
  static void multiply_as(const product& p) {
    using A = accumulator<T>;
    const T *a = static_cast<const T*>(p.a.data), *b = static_cast<const T*>(p.b.data);
    for (int s = 0; s < p.samples; ++s) {
      for (int i = 0; i < p.m; ++i) {
        for (int j = 0; j < p.n; ++j) {
          A sum = 0;
          for (int l = 0; l < p.k; ++l) {
            sum += static_cast<A>(a[s * p.a.sample + i * p.a.row + l * p.a.col]) *
                   static_cast<A>(b[s * p.b.sample + l * p.b.row + j * p.b.col]);
          }
          A& out = static_cast<A*>(p.out)[s * p.out_sample + i * p.out_row + j];
          out = p.accumulate ? out + sum : sum;
        }
      }
    }
  }

  emulation_options options_;
  std::vector<std::pair<void*, std::size_t>> memory_;
  struct copy_ahead {
    void* to;
    const void* from;
    std::size_t n;
  };
  std::vector<copy_ahead> ahead_;
  std::vector<work>* recording_ = nullptr;
  testing::fibers fibers_;
  std::vector<double> shared_, slots_;
  std::vector<int> blocks_, threads_;  // in the order in which they run
  std::uint64_t state_ = 1;
};

static_assert(device<emulated_gpu>);

}  // namespace trm::cuda
