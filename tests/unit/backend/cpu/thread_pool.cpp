// SPDX-License-Identifier: MIT
#include "trm/backend/cpu/thread_pool.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

using trm::cpu::thread_pool;

TEST_CASE("every task runs once, on a worker that is alone with its number") {
  for (int threads : {1, 2, 5}) {
    CAPTURE(threads);
    thread_pool pool(threads);
    CHECK(pool.size() == threads);
    std::vector<std::atomic<int>> busy(static_cast<std::size_t>(threads));
    std::atomic<int> collisions{0}, strangers{0};
    for (int tasks : {0, 1, 2, 7, 1000}) {
      CAPTURE(tasks);
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      pool.run(tasks, [&](int task, int worker) {
        if (worker < 0 || worker >= threads) ++strangers;
        if (busy[static_cast<std::size_t>(worker)]++ != 0) ++collisions;
        ++runs[static_cast<std::size_t>(task)];
        --busy[static_cast<std::size_t>(worker)];
      });
      for (auto& r : runs) CHECK(r == 1);
    }
    CHECK(collisions == 0);
    CHECK(strangers == 0);
  }
}

TEST_CASE("what tasks wrote is there when run returns, loop after loop") {
  thread_pool pool(3);
  std::vector<int> values(64, 0);
  for (int round = 1; round <= 20000; ++round) {
    const int tasks = 2 + round % 63;
    pool.run(tasks, [&](int task, int) { values[static_cast<std::size_t>(task)] = round; });
    bool all = true;
    for (int t = 0; t < tasks; ++t) all = all && values[static_cast<std::size_t>(t)] == round;
    REQUIRE(all);
  }
}

TEST_CASE("other threads take part") {
  thread_pool pool(2);
  std::atomic<int> present{0};
  std::atomic<bool> met{false};
  pool.run(2, [&](int, int) {  // neither task ends before the other has begun
    ++present;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (present < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (present == 2) met = true;
  });
  CHECK(met);
}

TEST_CASE("workers that have gone to sleep wake up again") {
  thread_pool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> present{0};
    pool.run(2, [&](int, int) {
      ++present;
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (present < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    });
    CHECK(present == 2);
  }
}

TEST_CASE("a task's exception reaches the caller and the pool works on") {
  for (int threads : {1, 2, 4}) {
    CAPTURE(threads);
    thread_pool pool(threads);
    for (int round = 0; round < 200; ++round) {
      CHECK_THROWS_WITH_AS(pool.run(50,
                                    [](int task, int) {
                                      if (task % 10 == 3) throw std::runtime_error("task failed");
                                    }),
                           "task failed", std::runtime_error);
      std::atomic<int> sum{0};
      pool.run(10, [&](int task, int) { sum += task; });
      CHECK(sum == 45);
    }
  }
}

TEST_CASE("a loop inside a task runs on the task's own worker") {
  thread_pool pool(3);
  std::atomic<int> wrong{0}, total{0};
  pool.run(20, [&](int, int outer) {
    pool.run(10, [&](int, int inner) {
      if (inner != outer) ++wrong;
      ++total;
    });
  });
  CHECK(wrong == 0);
  CHECK(total == 200);
}

TEST_CASE("a pool without threads is refused") {
  CHECK_THROWS_WITH_AS(thread_pool(0), "thread_pool: at least one thread is needed, not 0", trm::error);
}
