// SPDX-License-Identifier: MIT
// Threads that talk like processes: a communicator for tests that needs nothing installed.
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/train/communicator.hpp"

namespace trm_test {

/// What the threads share: messages on their way, by (from, to).
class thread_ranks {
 public:
  explicit thread_ranks(int size) : size_(size) {}

  class communicator {
   public:
    communicator(thread_ranks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const { return rank_; }
    int size() const { return all_.size_; }
    void exchange(std::span<const trm::outgoing> out, std::span<const trm::incoming> in) {
      for (const auto& o : out) all_.put(rank_, o.to, o.bytes);
      for (const auto& i : in) all_.get(i.from, rank_, i.bytes);
    }
    void abort(std::string_view) {}

   private:
    thread_ranks& all_;
    int rank_;
  };

  /// f(communicator) in one thread for each rank. What a rank threw is thrown again, that of the first rank.
  template <class F>
  static void run(int size, F f) {
    thread_ranks all(size);
    std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(size));
    std::vector<std::jthread> threads;
    for (int r = 0; r < size; ++r) {
      threads.emplace_back([&, r] {
        try {
          communicator c(all, r);
          f(c);
        } catch (...) {
          thrown[static_cast<std::size_t>(r)] = std::current_exception();
        }
      });
    }
    threads.clear();
    for (const auto& t : thrown) {
      if (t) std::rethrow_exception(t);
    }
  }

 private:
  void put(int from, int to, std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    mail_[{from, to}].emplace_back(bytes.begin(), bytes.end());
    arrived_.notify_all();
  }
  void get(int from, int to, std::span<std::byte> bytes) {
    std::unique_lock lock(mutex_);
    auto& box = mail_[{from, to}];
    if (!arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return !box.empty(); }))
      throw trm::error("rank " + std::to_string(to), "no message of rank " + std::to_string(from));
    if (box.front().size() != bytes.size()) throw trm::error("rank " + std::to_string(to), "a message of another size");
    std::copy(box.front().begin(), box.front().end(), bytes.begin());
    box.erase(box.begin());
  }

  int size_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::pair<int, int>, std::vector<std::vector<std::byte>>> mail_;
};

}  // namespace trm_test
