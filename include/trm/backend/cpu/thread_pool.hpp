// SPDX-License-Identifier: MIT
// Threads that share the tasks of one loop at a time: claimed dynamically, woken by spinning first.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"

namespace trm::cpu {

/// Runs loops on a fixed number of threads, the calling one included. One thread at a time may call `run`.
///
/// A thread claims the next task when it has finished one, and the caller waits only for tasks that were claimed: a
/// thread that the operating system has not scheduled delays nobody. Which thread computes a task is not determined;
/// what a task computes must not depend on it.
class thread_pool {
 public:
  /// `threads` >= 1, the caller included. Throws trm::error for less, std::system_error where a thread cannot be made.
  explicit thread_pool(int threads) : size_(threads) {
    if (threads < 1) throw error("thread_pool", "at least one thread is needed, not " + std::to_string(threads));
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    try {
      for (int w = 1; w < threads; ++w) workers_.emplace_back([this, w] { work(w); });
    } catch (...) {
      stop();
      throw;
    }
  }
  ~thread_pool() { stop(); }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// Threads, the calling one among them.
  int size() const { return size_; }

  /// Of `all` things so many for one task: at most `most`, fewer where all threads then have as many to do; at least 1.
  int at_once(int all, int most) const {
    const int rounds = (all + most * size_ - 1) / (most * size_);
    return rounds < 1 ? 1 : (all + rounds * size_ - 1) / (rounds * size_);
  }

  /// f(task, worker) for every task in [0, tasks), worker in [0, size()): no two tasks run at the same time with the
  /// same worker. Returns when all are done; allocates nothing. The first exception thrown by a task is thrown again
  /// here, tasks not yet begun are then left out. Called from within a task of this pool it is a plain loop on the same
  /// worker.
  template <class F>
  void run(int tasks, F&& f) {
    if (tasks <= 0) return;
    const position outer = current();
    const int here = outer.pool == this ? outer.worker : 0;
    if (tasks == 1 || size_ == 1 || outer.pool == this) {
      for (int task = 0; task < tasks; ++task) f(task, here);
      return;
    }
    using body = std::remove_reference_t<F>;
    start([](void* context, int task, int worker) { (*static_cast<body*>(context))(task, worker); },
          const_cast<void*>(static_cast<const void*>(std::addressof(f))), tasks);
    current() = {this, 0};
    share(static_cast<std::uint32_t>(ticket_.load(std::memory_order_relaxed) >> 32), 0);
    current() = outer;
    finish(static_cast<std::uint32_t>(tasks));
  }

 private:
  using function = void (*)(void* context, int task, int worker);
  struct position {
    const thread_pool* pool = nullptr;
    int worker = 0;
  };
  static constexpr auto spin_time = std::chrono::microseconds(50);

  /// Where this thread is: the pool whose task it runs, if any.
  static position& current() {
    static thread_local position p;
    return p;
  }

  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  /// Spins for a while, then sleeps, until `value` is no longer `old`.
  static void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
    const auto end = std::chrono::steady_clock::now() + spin_time;
    do {
      for (int i = 0; i < 32; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause();
      }
    } while (std::chrono::steady_clock::now() < end);
    value.wait(old, std::memory_order_acquire);
  }

  // The upper half of the ticket numbers the loop, the lower half is the next task. An odd number says that the
  // description of the loop is being written. A thread that wakes up late can claim nothing: its number is no longer
  // that of the ticket.
  void start(function f, void* context, int tasks) {
    const auto number = static_cast<std::uint32_t>(ticket_.load(std::memory_order_relaxed) >> 32);
    ticket_.store(std::uint64_t{number + 1} << 32, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    function_.store(f, std::memory_order_relaxed);
    context_.store(context, std::memory_order_relaxed);
    tasks_.store(static_cast<std::uint32_t>(tasks), std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    const std::uint32_t next = number + 2;
    ticket_.store(std::uint64_t{next} << 32, std::memory_order_release);
    number_.store(next, std::memory_order_release);
    number_.notify_all();
  }

  /// Claims and runs tasks of loop `number` until there are none.
  void share(std::uint32_t number, int worker) {
    const function f = function_.load(std::memory_order_relaxed);
    void* context = context_.load(std::memory_order_relaxed);
    const std::uint32_t tasks = tasks_.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    std::uint64_t t = ticket_.load(std::memory_order_acquire);
    while (static_cast<std::uint32_t>(t >> 32) == number && static_cast<std::uint32_t>(t) < tasks) {
      if (!ticket_.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      if (!failed_.load(std::memory_order_relaxed)) {
        try {
          f(context, static_cast<int>(static_cast<std::uint32_t>(t)), worker);
        } catch (...) {
          if (!failed_.exchange(true)) failure_ = std::current_exception();
        }
      }
      if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == tasks) done_.notify_one();
      t = ticket_.load(std::memory_order_acquire);
    }
  }

  void finish(std::uint32_t tasks) {
    for (std::uint32_t done; (done = done_.load(std::memory_order_acquire)) != tasks;) wait_for_change(done_, done);
    if (!failed_.load(std::memory_order_relaxed)) return;
    failed_.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  void work(int worker) {
    current() = {this, worker};
    for (std::uint32_t seen = 0;;) {
      wait_for_change(number_, seen);
      seen = number_.load(std::memory_order_acquire);
      if (seen == stopped) return;
      share(seen, worker);
    }
  }

  void stop() {
    number_.store(stopped, std::memory_order_release);
    number_.notify_all();
    for (std::thread& t : workers_) t.join();
  }

  static constexpr std::uint32_t stopped = 1;  // never the number of a loop: those are even

  int size_;
  std::vector<std::thread> workers_;
  alignas(64) std::atomic<std::uint64_t> ticket_{0};
  alignas(64) std::atomic<std::uint32_t> done_{0};
  alignas(64) std::atomic<std::uint32_t> number_{0};
  std::atomic<function> function_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<std::uint32_t> tasks_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
};

}  // namespace trm::cpu
