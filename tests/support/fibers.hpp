// SPDX-License-Identifier: MIT
// The threads of one block of an emulated kernel: fibers that run in turn and meet at barriers.
#pragma once
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "trm/core/error.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define TRM_FIBERS_ARE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRM_FIBERS_ARE_SANITIZED 1
#endif
#endif
#if defined(TRM_FIBERS_ARE_SANITIZED)
#include <sanitizer/common_interface_defs.h>
#elif defined(__x86_64__)
#define TRM_FIBERS_SWITCH_STACKS 1
#endif

namespace trm::cuda::testing {

#if defined(TRM_FIBERS_SWITCH_STACKS)
/// Leaves this stack, whose place is kept in *from, for the one whose place is `to`. As swapcontext does, which asks the kernel twice for
/// the sake of signals, and that is most of the time that small kernels take.
[[gnu::naked, gnu::noinline]] inline void switch_stack(void** /*from*/, void* /*to*/) {
  asm("pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "movq %rsp, (%rdi)\n movq %rsi, %rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret");
}
#endif

/// Runs `count` fibers in groups of `group`. A fiber runs until it waits for its group or for all; whoever waits goes on when all that it
/// waits for have arrived at a barrier of the same kind.
class fibers {
 public:
  /// body(i) for i < count. `order`: the order in which fibers get their turn, a permutation. Throws trm::error where some wait for
  /// others that never come, and what body throws.
  template <class Body>
  void run(int count, int group, const std::vector<int>& order, Body body) {
    body_ = [](void* b, int i) { (*static_cast<Body*>(b))(i); };
    argument_ = &body, group_ = group, failure_ = nullptr;
    while (static_cast<int>(all_.size()) < count) all_.push_back(std::make_unique<fiber>());
    count_ = count;
    for (int i = 0; i < count; ++i) begin(i);
    for (int left = count; left > 0;) {
      bool moved = false;
      for (int i : order) {
        if (at(i).state != waiting::nothing) continue;
        resume(i);
        moved = true;
        if (failure_) std::rethrow_exception(failure_);
        left -= at(i).state == waiting::finished;
      }
      if (left > 0 && !release() && !moved) stuck();
    }
  }
  /// The running fiber waits for its group, or for all.
  void wait_for_group() { yield(waiting::group); }
  void wait_for_all() { yield(waiting::all); }

 private:
  enum class waiting { nothing, group, all, finished };
#if defined(TRM_FIBERS_ARE_SANITIZED)
  static constexpr std::size_t stack_bytes = 512 << 10;
#else
  static constexpr std::size_t stack_bytes = 64 << 10;
#endif
  struct fiber {
#if defined(TRM_FIBERS_SWITCH_STACKS)
    void* place = nullptr;  // on its stack, where it goes on
#else
    ucontext_t context{};
#endif
    std::unique_ptr<std::byte[]> stack{new std::byte[stack_bytes]};
    waiting state = waiting::nothing;
    void* shadow = nullptr;  // of the sanitizer
  };

  fiber& at(int i) { return *all_[static_cast<std::size_t>(i)]; }
#if defined(TRM_FIBERS_SWITCH_STACKS)
  void begin(int i) {
    fiber& f = at(i);
    // What switch_stack takes from there: six registers, where it returns to, and, as a function finds it, where that would return to.
    auto* top = reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uintptr_t>(f.stack.get() + stack_bytes) & ~15ul);
    for (int k = 1; k <= 8; ++k) top[-k] = 0;
    top[-2] = reinterpret_cast<std::uint64_t>(&fibers::entry);
    f.place = top - 8;
    f.state = waiting::nothing;
  }
  static void entry() {
    fibers* self = current_;
    self->run_body(self->running_);
    self->go_to_scheduler(self->at(self->running_));
  }
  void resume(int i) {
    running_ = i, current_ = this;
    switch_stack(&scheduler_, at(i).place);
  }
  void go_to_scheduler(fiber& f) { switch_stack(&f.place, scheduler_); }
#else
  void begin(int i) {
    fiber& f = at(i);
    ::getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.get();
    f.context.uc_stack.ss_size = stack_bytes;
    f.context.uc_link = &scheduler_;
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    ::makecontext(&f.context, reinterpret_cast<void (*)()>(&fibers::entry), 3, static_cast<unsigned>(self >> 32),
                  static_cast<unsigned>(self & 0xffffffffu), static_cast<unsigned>(i));
    f.state = waiting::nothing;
  }
  static void entry(unsigned upper, unsigned lower, unsigned i) {
    auto* self = reinterpret_cast<fibers*>(static_cast<std::uintptr_t>(upper) << 32 | lower);
    self->arrived(nullptr);
    self->run_body(static_cast<int>(i));
    self->leave(nullptr);  // returning continues with the scheduler
  }
  void resume(int i) {
    running_ = i;
#if defined(TRM_FIBERS_ARE_SANITIZED)
    void* shadow = nullptr;
    __sanitizer_start_switch_fiber(&shadow, at(i).stack.get(), stack_bytes);
#endif
    ::swapcontext(&scheduler_, &at(i).context);
#if defined(TRM_FIBERS_ARE_SANITIZED)
    __sanitizer_finish_switch_fiber(shadow, nullptr, nullptr);
#endif
  }
  void go_to_scheduler(fiber& f) { ::swapcontext(&f.context, &scheduler_); }
#endif
  void run_body(int i) {
    try {
      body_(argument_, i);
    } catch (...) {
      failure_ = std::current_exception();
    }
    at(i).state = waiting::finished;
  }
  void yield(waiting what) {
    fiber& f = at(running_);
    f.state = what;
    leave(&f.shadow);
    go_to_scheduler(f);
    arrived(f.shadow);
  }
  /// The fiber's stack is left for the scheduler's, or has been reached from it.
  void leave([[maybe_unused]] void** shadow) {
#if defined(TRM_FIBERS_ARE_SANITIZED)
    __sanitizer_start_switch_fiber(shadow, scheduler_stack_, scheduler_stack_bytes_);
#endif
  }
  void arrived([[maybe_unused]] void* shadow) {
#if defined(TRM_FIBERS_ARE_SANITIZED)
    __sanitizer_finish_switch_fiber(shadow, &scheduler_stack_, &scheduler_stack_bytes_);
#endif
  }
  /// Opens the barriers at which all that belong there have arrived. Were there any?
  bool release() {
    bool any = false;
    int at_all = 0;
    for (int i = 0; i < count_; ++i) at_all += at(i).state == waiting::all;
    if (at_all == count_) {
      for (int i = 0; i < count_; ++i) at(i).state = waiting::nothing;
      return true;
    }
    for (int first = 0; first < count_; first += group_) {
      int arrived_there = 0;
      for (int i = first; i < first + group_; ++i) arrived_there += at(i).state == waiting::group;
      if (arrived_there < group_) continue;
      for (int i = first; i < first + group_; ++i) at(i).state = waiting::nothing;
      any = true;
    }
    return any;
  }
  [[noreturn]] void stuck() {
    int all = 0, group = 0, finished = 0;
    for (int i = 0; i < count_; ++i) {
      all += at(i).state == waiting::all;
      group += at(i).state == waiting::group;
      finished += at(i).state == waiting::finished;
    }
    throw error("emulated kernel", "a barrier that not all of its threads reach: of " + std::to_string(count_) + ", " +
                                       std::to_string(all) + " wait for the block, " + std::to_string(group) +
                                       " for their warp, " + std::to_string(finished) + " have returned");
  }

  std::vector<std::unique_ptr<fiber>> all_;
  void (*body_)(void*, int) = nullptr;
  void* argument_ = nullptr;
  std::exception_ptr failure_;
#if defined(TRM_FIBERS_SWITCH_STACKS)
  void* scheduler_ = nullptr;
  inline static thread_local fibers* current_ = nullptr;
#else
  ucontext_t scheduler_{};
#endif
  int count_ = 0, group_ = 1, running_ = 0;
  [[maybe_unused]] const void* scheduler_stack_ = nullptr;
  [[maybe_unused]] std::size_t scheduler_stack_bytes_ = 0;
};

}  // namespace trm::cuda::testing
